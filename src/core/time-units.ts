/* Units, no waiting times: those stand where they are waited for, each with its reason (docs/times.md). ms */
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
