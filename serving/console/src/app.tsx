import type {ComponentChild} from 'preact';
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {Api, ApiError} from './api/client';
import {ApiContext} from './api/poll';
import {useWatching, WatchingContext, type Watching} from './context';
import {WatchedList} from './lists';
import {LiveFeed} from './live_feed';
import {ClusterPage} from './pages/cluster';
import {ExperimentsPage} from './pages/experiments';
import {ItemPage} from './pages/item';
import {ModelsPage} from './pages/models';
import {PersonPage} from './pages/person';
import {SignInPage} from './pages/sign_in';
import {StreamPage} from './pages/stream';
import {TrendingPage} from './pages/trending';
import {goTo, linkTo, useRoute, type Route} from './router';
import {Sampler} from './sampler';
import {keepCredential, keptCredential, roleOf, type Credential, type Role} from './session';
import {useStore} from './store';
import {Failure, Skeleton} from './ui/states';
import {ThemeSwitch} from './ui/theme';

interface Page {
  name: string;
  title: string;
  allowed: (role: Role) => boolean;
  show: (route: Route) => ComponentChild;
}

const everybody = (): boolean => true;
const admins = (role: Role): boolean => role.admin;
const kPages: [Page, ...Page[]] = [
  {name: 'stream', title: 'Stream', allowed: everybody, show: () => <StreamPage />},
  {name: 'trending', title: 'Trending', allowed: everybody, show: () => <TrendingPage />},
  {name: 'person', title: 'Person', allowed: (role) => role.reads || role.person !== null, show: (route) => <PersonPage route={route} />},
  {name: 'item', title: 'Item', allowed: everybody, show: (route) => <ItemPage route={route} />},
  {name: 'experiments', title: 'Experiments', allowed: admins, show: () => <ExperimentsPage />},
  {name: 'models', title: 'Models', allowed: admins, show: () => <ModelsPage />},
  {name: 'cluster', title: 'Cluster', allowed: admins, show: () => <ClusterPage />},
];
const kSignIn = 'sign-in';

/** What goes on behind the pages; begun anew with each credential. */
function useBackground(api: Api, role: Role): Watching {
  const watching = useMemo((): Watching => ({
    role,
    feed: new LiveFeed(role.listens ? api : null),
    sampler: new Sampler(api),
    lists: {trending: new WatchedList(api, 'trending'), rising: new WatchedList(api, 'rising')},
  }), [api, role]);
  useEffect(() => {
    const {feed, sampler, lists} = watching;
    const stir = () => Object.values(lists).forEach((list) => list.stir());
    const unstir = feed.arrivals.subscribe(stir);
    // What happened before anybody listened is not heard.
    const unlisten = feed.state.subscribe(() => feed.state.get() === 'listening' && stir());
    return () => {
      unstir();
      unlisten();
      [feed, sampler, ...Object.values(lists)].forEach((part) => part.close());
    };
  }, [watching]);
  return watching;
}

function Navigation({pages, now}: {pages: Page[]; now: string}) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {  // on a narrow screen it scrolls
    list.current?.querySelector('[aria-current]')?.scrollIntoView({inline: 'center', block: 'nearest'});
  }, [now]);
  return (
    <nav aria-label="Pages">
      <ul ref={list}>
        {pages.map(({name, title}) =>
          <li key={name}><a href={linkTo(name)} aria-current={name === now ? 'page' : undefined}>{title}</a></li>)}
      </ul>
    </nav>
  );
}

function Who({role, leave}: {role: Role; leave: () => void}) {
  if (role.open) return <span class="note" title="There is no account and no key yet">open to all</span>;
  if (!role.name) return <a href={linkTo(kSignIn)}>Sign in</a>;
  return (
    <>
      <span class="note">{role.name}</span>
      <button type="button" class="quiet" onClick={leave}>Sign out</button>
    </>
  );
}

function Silence() {
  const silent = useStore(useWatching().sampler.silent);
  return silent ? <p class="failure" role="alert">The server does not answer. It is asked again every second.</p> : null;
}

interface ShellProps {
  api: Api;
  role: Role;
  ended: boolean;
  enter: (credential: Credential) => Promise<void>;
  leave: () => void;
}

function Shell({api, role, ended, enter, leave}: ShellProps) {
  const route = useRoute();
  const watching = useBackground(api, role);
  const main = useRef<HTMLElement>(null);
  const pages = kPages.filter(({allowed}) => allowed(role));
  const wanted = kPages.find(({name}) => name === route.page) ?? (route.page === kSignIn ? null : kPages[0]);
  const page = wanted && pages.includes(wanted) ? wanted : null;
  const title = page?.title ?? 'Sign in';
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · Millrace`;
    if (!first.current) main.current?.focus({preventScroll: true});
    scrollTo(0, 0);
    first.current = false;
  }, [title]);
  return (
    <WatchingContext.Provider value={watching}>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>To the page</a>
      <header class="top">
        <a class="brand" href={linkTo('stream')}>Millrace</a>
        <Navigation pages={pages} now={page?.name ?? ''} />
        <div class="who"><Who role={role} leave={leave} /><ThemeSwitch /></div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <h1>{title}</h1>
        <Silence />
        {page ? page.show(route) : <SignInPage enter={enter} ended={ended} />}
      </main>
    </WatchingContext.Provider>
  );
}

interface Session { api: Api; role: Role; ended: boolean }

/** Who looks: found out from the API when the page is loaded, and whenever somebody signs in or out. */
export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<unknown>(null);
  const begin = async (credential: Credential | null, ended = false): Promise<void> => {
    let begun = false;
    const api = new Api(credential?.token ?? null, () => {
      if (begun) void begin(null, true).then(() => goTo(kSignIn));
    });
    const role = await roleOf(api);
    begun = true;
    keepCredential(credential);
    setError(null);
    setSession({api, role, ended});
  };
  const load = (): void => {
    const refused = (why: unknown): boolean => why instanceof ApiError && why.status === 401;
    begin(keptCredential()).catch((why: unknown) => refused(why) ? begin(null, true) : Promise.reject(why)).catch(setError);
  };
  useEffect(load, []);
  if (error) return <main><h1>Millrace</h1><Failure error={error} again={load} /></main>;
  if (!session) return <main><h1>Millrace</h1><Skeleton lines={8} /></main>;
  const enter = async (credential: Credential): Promise<void> => {
    await begin(credential);
    goTo('stream');
  };
  const leave = async (): Promise<void> => {
    const left = keptCredential();
    await begin(null);
    if (left?.issued) await session.api.delete('/api/token/').catch(setError);
  };
  return (
    <ApiContext.Provider value={session.api}>
      <Shell {...session} enter={enter} leave={() => void leave()} />
    </ApiContext.Provider>
  );
}
