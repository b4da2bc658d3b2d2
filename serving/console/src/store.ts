import {useEffect, useState} from 'preact/hooks';

/** A value that says when it is another one. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (value === this.value) return;
    this.value = value;
    for (const listener of this.listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [, show] = useState<T>(store.get());
  useEffect(() => {
    show(() => store.get());
    return store.subscribe(() => show(() => store.get()));
  }, [store]);
  return store.get();
}
