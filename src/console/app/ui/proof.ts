import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import { ApiProblem } from '../api/client';

/** Asks the user for a new proof. @returns whether the user has given it */
export type AskForProof = () => Promise<boolean>;

export const ProofContext = createContext<AskForProof>(() => Promise.resolve(false));

/** Whether the API refused a call because the last login is too old. */
export function needsProof(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'reauthentication-required';
}

/** @returns a function that runs an action, and runs it again after a new proof if it needs one */
export function useProof(): (work: () => Promise<unknown>) => Promise<unknown> {
  const ask = useContext(ProofContext);
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!needsProof(error) || !(await ask())) {
        throw error;
      }
      return work();
    }
  };
}
