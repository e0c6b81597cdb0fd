import { randomBytes } from 'node:crypto';
import type { Entropy } from '../../ports/entropy.ts';

export const systemEntropy: Entropy = { random: () => Math.random(), id: () => randomBytes(12).toString('base64url') };
