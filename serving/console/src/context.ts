import {createContext} from 'preact';
import {useContext} from 'preact/hooks';
import type {ListName, WatchedList} from './lists';
import type {LiveFeed} from './live_feed';
import type {Sampler} from './sampler';
import type {Role} from './session';

/** What goes on behind all pages, from signing in until signing out. */
export interface Watching {
  role: Role;
  feed: LiveFeed;  // silent where the role may not listen
  sampler: Sampler;
  lists: Record<ListName, WatchedList>;
}

export const WatchingContext = createContext<Watching | null>(null);

export function useWatching(): Watching {
  const watching = useContext(WatchingContext);
  if (!watching) throw new Error('outside of the app');
  return watching;
}
