import { walk } from './browser-walk.ts';

walk(1);
