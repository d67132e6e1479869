/** A visit on the prompt: `scripts/node --import ./scripts/house/visit-prompt.ts`, then `story.present()` … */
import { VisitStory } from '../beds/visit-story.ts';

Object.assign(globalThis, { story: VisitStory.atRest(), VisitStory });
