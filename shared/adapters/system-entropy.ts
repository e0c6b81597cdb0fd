import { randomUUID } from 'node:crypto';
import type { Entropy } from '../ports/entropy.ts';

export const systemEntropy: Entropy = { random: () => Math.random(), id: () => randomUUID() };
