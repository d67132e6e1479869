import { type Change, standInForNode } from './hooks.ts';

/** Everything that imports the product comes after the stand-ins are in place. */
export const layGroundWith = async (changes: readonly Change[] = []) => {
  standInForNode(changes);
  const [{ layGround }, { World }, { planWorld, visitsOfWorld }, { tellStory }] = await Promise.all([
    import('./ground.ts'),
    import('./world.ts'),
    import('./plan.ts'),
    import('./tell-story.ts'),
  ]);
  return { ground: await layGround(), World, planWorld, visitsOfWorld, tellStory };
};
