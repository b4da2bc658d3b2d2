import {createContext} from 'preact';
import {useCallback, useContext, useEffect, useState} from 'preact/hooks';
import {Api} from './client';

export const ApiContext = createContext(new Api(null, () => {}));
export const useApi = (): Api => useContext(ApiContext);

const kUnseen = 1000;  // ms until it is looked again whether the page is seen

/** Calls `work` now and `ms` after each time that it has ended (Infinity: once), not while nobody sees the page. */
export function repeat(ms: number, work: (signal: AbortSignal) => Promise<void>): () => void {
  const ending = new AbortController();
  let timer = 0;
  const run = async (): Promise<void> => {
    const seen = !document.hidden;
    if (seen) await work(ending.signal);
    const pause = seen ? ms : Math.min(ms, kUnseen);
    if (!ending.signal.aborted && pause < Infinity) timer = window.setTimeout(() => void run(), pause);
  };
  void run();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

export interface Polled<T> {
  data: T | null;
  error: unknown;  // null while all is well; data stays what it was
  again: () => void;
}

interface Answered<T> { path: string; data: T | null; error: unknown }

/** What the server answers at `path`, asked again every `ms`; nothing is asked where it is null. */
export function usePolled<T>(path: string | null, ms = 5000): Polled<T> {
  const api = useApi();
  const [answer, setAnswer] = useState<Answered<T> | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    return repeat(ms, async (signal) => {
      try {
        const data = await api.get<T>(path, signal);
        if (!signal.aborted) setAnswer({path, data, error: null});
      } catch (error) {
        if (!signal.aborted) setAnswer((last) => ({path, data: last?.path === path ? last.data : null, error}));
      }
    });
  }, [api, path, ms, turn]);
  const again = useCallback(() => setTurn((last) => last + 1), []);
  const holds = answer?.path === path;
  return {data: holds ? answer.data : null, error: holds ? answer.error : null, again};
}
