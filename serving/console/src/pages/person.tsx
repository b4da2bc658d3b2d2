import {useEffect, useState} from 'preact/hooks';
import {useApi, usePolled} from '../api/poll';
import type {Accounts, History, HistoryEntry, Profile} from '../api/types';
import {useWatching} from '../context';
import {dateTime, number, percent, words} from '../format';
import {goTo, linkTo, type Route} from '../router';
import {Action} from '../ui/action';
import {Bars, type Titles} from '../ui/bars';
import {Figure, Figures, Panel} from '../ui/panel';
import {Search} from '../ui/search';
import {Empty, Loaded} from '../ui/states';
import {Table} from '../ui/table';
import {Feeds} from './feeds';

const kShown = 12;  // weights, and items of late
const kRows = 100;  // of the history at once

function Taste({profile}: {profile: Profile}) {
  const bars = (of: Profile['tags']) => of.slice(0, kShown).map(({name, weight, interest}) =>
    ({name, value: weight, note: percent(weight) + (interest > 0 ? ` +${interest}` : '')}));
  const none = profile.categories.length + profile.tags.length === 0;
  return (
    <Panel title="Taste" note="share of what they rated 3 or better, + of interest">
      {none && <Empty title="Nothing is known of their taste">It comes of ratings, likes and saves.</Empty>}
      {profile.categories.length > 0 && <><h3>Genres</h3><Bars label="Genres" bars={bars(profile.categories)} /></>}
      {profile.tags.length > 0 && <><h3>Tags</h3><Bars label="Tags" bars={bars(profile.tags)} /></>}
    </Panel>
  );
}

function Summary({profile}: {profile: Profile}) {
  return (
    <Figures>
      <Figure label="Events" value={number(profile.events)} />
      <Figure label="Rated" value={number(profile.rated)} />
      <Figure label="Watched" value={number(profile.watched)} />
      <Figure label="Liked" value={number(profile.liked)} />
      <Figure label="Saved" value={number(profile.saved)} />
    </Figures>
  );
}

function Recent({profile, titles}: {profile: Profile; titles: Titles}) {
  return (
    <Panel title="Of late" note="items of interest, newest first">
      {profile.recent.length === 0
        ? <Empty title="Nothing of late" />
        : <ul class="chips">
            {profile.recent.slice(0, 2 * kShown).map((item) =>
              <li key={item}><a class="chip" href={linkTo('item', item)}>{titles.get(item) ?? item}</a></li>)}
          </ul>}
    </Panel>
  );
}

function HistoryTable({rows, more}: {rows: HistoryEntry[]; more: (() => Promise<string>) | null}) {
  if (rows.length === 0) {
    return <Empty title="No events">Is the id right? Post an event of this person to <code>/v1/events</code>.</Empty>;
  }
  return (
    <>
      <Table caption="History" rows={rows} keyOf={({position}) => position} columns={[
        {head: 'Time', cell: ({time}) => dateTime(time)},
        {head: 'Type', cell: ({type}) => <span class="chip">{words(type)}</span>},
        {head: 'Item', cell: ({id, title}) => <a href={linkTo('item', id)}>{title ?? id}</a>},
        {head: 'Value', numeric: true, cell: ({value}) => value === undefined ? '' : number(value)},
      ]} />
      {more && <Action run={more}>Older</Action>}
    </>
  );
}

/** One person, as the events so far have them. */
function Person({user, route}: {user: string; route: Route}) {
  const api = useApi();
  const path = `/v1/users/${encodeURIComponent(user)}`;
  const profile = usePolled<Profile>(`${path}/profile`, 3000);
  const first = usePolled<History>(`${path}/history?limit=${kRows}`);
  const [older, setOlder] = useState<History | null>(null);
  useEffect(() => setOlder(null), [user]);
  const rows = older?.items ?? first.data?.items ?? [];
  const titles: Titles = new Map(rows.flatMap(({id, title}) => title ? [[id, title]] : []));
  const cursor = older ? older.next_cursor : first.data?.next_cursor;
  const more = cursor === undefined ? null : async (): Promise<string> => {
    const next = await api.get<History>(`${path}/history?limit=${kRows}&cursor=${encodeURIComponent(cursor)}`);
    setOlder({...next, items: [...rows, ...next.items]});
    return '';
  };
  return (
    <Loaded from={profile} lines={8}>{(known) => (
      <>
        <Summary profile={known} />
        <Feeds user={user} query={route.query} titles={titles} />
        <div class="grid">
          <Taste profile={known} />
          <div class="column">
            <Recent profile={known} titles={titles} />
            <Panel title="History" note="newest first">
              <Loaded from={first}>{() => <HistoryTable rows={rows} more={more} />}</Loaded>
            </Panel>
          </div>
        </div>
      </>
    )}</Loaded>
  );
}

/** Whom to suggest: accounts, and people who did something just now. */
function useSuggestions() {
  const {role, feed} = useWatching();
  const accounts = usePolled<Accounts>(role.admin ? '/api/users/?page_size=100' : null, 60_000);
  const known = (accounts.data?.results ?? []).map(({id, username}) => ({value: String(id), label: username}));
  const ids = new Set(known.map(({value}) => value));
  return [...known, ...[...feed.people].filter((user) => !ids.has(user)).map((value) => ({value, label: 'seen just now'}))];
}

export function PersonPage({route}: {route: Route}) {
  const {role} = useWatching();
  const suggestions = useSuggestions();
  const named = suggestions.find(({label}) => label === route.id && label !== 'seen just now')?.value ?? route.id;
  const user = role.reads ? named : role.person ?? '';
  return (
    <>
      {role.reads && <Search label="Person" hint="an id, such as 1, or a user name" value={route.id}
        suggestions={suggestions} onSearch={(id) => goTo('person', id)} />}
      {user
        ? <Person key={user} user={user} route={route} />
        : <Empty title="Whom do you want to look at?">
            Type an id or a user name above; in MovieLens people are 1 to 943. Persons in the stream are links to here, too.
          </Empty>}
    </>
  );
}
