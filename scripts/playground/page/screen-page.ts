import './frame.ts';
import '../../../src/screens/main.tsx';
