import {useEffect, useState} from 'preact/hooks';

/** `#/person/42?with=popular`: a page, what it is about, and how it is seen. */
export interface Route {
  page: string;
  id: string;
  query: URLSearchParams;
}

function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', id = ''] = path.split('/', 2);
  return {page, id: decodeURIComponent(id), query: new URLSearchParams(query)};
}

export function linkTo(page: string, id = '', query: Record<string, string> = {}): string {
  const asked = new URLSearchParams(query).toString();
  return `#/${page}${id && `/${encodeURIComponent(id)}`}${asked && `?${asked}`}`;
}

export function goTo(page: string, id = '', query: Record<string, string> = {}): void {
  location.hash = linkTo(page, id, query);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const turn = (): void => setRoute(routeOf(location.hash));
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  return route;
}
