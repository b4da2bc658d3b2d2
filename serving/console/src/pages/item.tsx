import {useEffect, useState} from 'preact/hooks';
import {usePolled} from '../api/poll';
import type {Item, ItemPage as Items, SimilarItems} from '../api/types';
import {useWatching} from '../context';
import {dateTime, number} from '../format';
import {kSeconds} from '../live_feed';
import {goTo, linkTo, type Route} from '../router';
import {useStore} from '../store';
import {Parts, widest} from '../ui/bars';
import {Chart} from '../ui/chart';
import {ItemCard} from '../ui/item_card';
import {Figure, Figures, Panel} from '../ui/panel';
import {Poster} from '../ui/poster';
import {Search} from '../ui/search';
import {Empty, Loaded} from '../ui/states';

const kEvery = 2000;  // ms

interface Point { second: number; trend: number; events: number }

const eventsOf = (item: Item): number =>
  item.views + item.likes + item.shares + item.saves + item.plays + item.watch_count + item.rating_count;

/** How the item's trend went since the page was opened. */
function useTrail(item: Item): Point[] {
  const [trail, setTrail] = useState<Point[]>([]);
  useEffect(() => {
    const second = Math.floor(Date.now() / 1000);
    const point = {second, trend: item.trend_score, events: eventsOf(item)};
    setTrail((last) => [...last.filter((one) => one.second < second).slice(1 - kSeconds), point]);
  }, [item]);
  return trail;
}

function Head({item}: {item: Item}) {
  const facts = [item.kind, item.published && dateTime(item.published), item.price, item.hidden && 'hidden'];
  return (
    <div class="item-head">
      <Poster {...item} attributes={item.attributes} />
      <div>
        <h2>{item.title || item.id}</h2>
        <p class="note">{facts.filter(Boolean).join(' · ')}</p>
        <ul class="chips">
          {[...item.categories, ...item.tags].map((name) => <li key={name} class="chip">{name}</li>)}
        </ul>
      </div>
    </div>
  );
}

function Counts({item}: {item: Item}) {
  return (
    <Figures>
      <Figure label="Views" value={number(item.views)} />
      <Figure label="Likes" value={number(item.likes)} />
      <Figure label="Saves" value={number(item.saves)} />
      <Figure label="Shares" value={number(item.shares)} />
      <Figure label="Watched" value={number(item.watch_count)} note="people" />
      <Figure label="Rating" value={number(item.average_rating)} note={`of ${number(item.rating_count)}`} />
      <Figure label="Popularity" value={number(item.popularity)} />
    </Figures>
  );
}

function Trend({item}: {item: Item}) {
  const trail = useTrail(item);
  const seconds = trail.map(({second}) => second);
  const first = trail[0]?.events ?? 0;
  return (
    <Panel title="Trend" note="since this page was opened">
      <Chart label="Trend score, 0 to 1" seconds={seconds} format={number} series={[
        {label: 'trend score', values: trail.map(({trend}) => trend)}]} />
      <Chart label="Counted since then" seconds={seconds} format={number} series={[
        {label: 'counted', values: trail.map(({events}) => events - first)}]} />
    </Panel>
  );
}

function Neighbours({id}: {id: string}) {
  const similar = usePolled<SimilarItems>(`/v1/items/${encodeURIComponent(id)}/similar?limit=10&explain=true`, 10_000);
  return (
    <Panel title="Neighbours" note="items that the same people dealt with">
      <Loaded from={similar} lines={8}>{({items}) => items.length === 0
        ? <Empty title="No neighbours yet">They come when people deal with this item and with others.</Empty>
        : <ol class="cards" aria-label="Neighbours">
            {items.map((one, i) => (
              <ItemCard key={one.id} item={one} rank={i + 1} note={one.id}>
                {one.parts && <Parts parts={one.parts} most={widest(items)} />}
              </ItemCard>
            ))}
          </ol>}
      </Loaded>
    </Panel>
  );
}

function Known({id}: {id: string}) {
  const item = usePolled<Item>(`/v1/items/${encodeURIComponent(id)}`, kEvery);
  const newest = useStore(useWatching().feed.newest);
  const last = newest.find((event) => event.item === id)?.position;
  useEffect(() => {
    if (last !== undefined) item.again();
  }, [last]);
  return (
    <Loaded from={item} lines={6}>{(known) => (
      <>
        <Head item={known} />
        <Counts item={known} />
        <div class="grid">
          <Trend item={known} />
          <Neighbours id={id} />
        </div>
      </>
    )}</Loaded>
  );
}

export function ItemPage({route}: {route: Route}) {
  const [text, setText] = useState('');
  const wanted = text.trim() && text !== route.id ? `/v1/items?limit=8&q=${encodeURIComponent(text.trim())}` : null;
  const found = usePolled<Items>(wanted, Infinity).data?.items ?? [];
  return (
    <>
      <Search label="Item" hint="words of its title, or an id" value={route.id} onInput={setText}
        suggestions={found.map(({id, title}) => ({value: id, label: title}))}
        onSearch={(asked) => goTo('item', found.some(({id}) => id === asked) ? asked : found[0]?.id ?? asked)} />
      {wanted && found.length > 0 && (
        <ul class="chips" aria-label="Found">
          {found.map(({id, title}) => <li key={id}><a class="chip" href={linkTo('item', id)}>{title || id}</a></li>)}
        </ul>
      )}
      {route.id
        ? <Known key={route.id} id={route.id} />
        : <Empty title="Which item do you want to look at?">
            Type words of its title above. Items of lists and of the stream are links to here, too.
          </Empty>}
    </>
  );
}
