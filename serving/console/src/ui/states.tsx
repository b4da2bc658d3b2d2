import type {ComponentChildren} from 'preact';
import {messageOf} from '../api/client';
import type {Polled} from '../api/poll';

/** Lines where something is about to be. */
export function Skeleton({lines = 3}: {lines?: number}) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({length: lines}, (_, line) => <span key={line} />)}
    </div>
  );
}

/** Nothing is there; the text says what to do so that there will be. */
export function Empty({title, children}: {title: string; children?: ComponentChildren}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Failure({error, again}: {error: unknown; again?: () => void}) {
  return (
    <div class="failure" role="alert">
      <p>{messageOf(error)}</p>
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

interface LoadedProps<T> {
  from: Polled<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** What was asked for, or why it is not there yet. What is there stays when the next asking fails. */
export function Loaded<T>({from, lines = 3, children}: LoadedProps<T>) {
  if (from.data !== null) return <>{children(from.data)}</>;
  return from.error ? <Failure error={from.error} again={from.again} /> : <Skeleton lines={lines} />;
}
