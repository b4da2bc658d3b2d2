import {useLayoutEffect, useRef} from 'preact/hooks';
import {useWatching} from '../context';
import {counted, number} from '../format';
import type {ListName} from '../lists';
import {useStore} from '../store';
import {ItemCard} from '../ui/item_card';
import {Panel} from '../ui/panel';
import {Spark} from '../ui/spark';
import {Empty, Failure, Skeleton} from '../ui/states';

const kGlide: KeyframeAnimationOptions = {duration: 350, easing: 'ease-out'};

interface Place { left: number; top: number }

/** Lets the cards of a list glide from where they were to where they are; not for those who want no motion. */
function useGliding() {
  const list = useRef<HTMLOListElement>(null);
  const places = useRef(new Map<string, Place>());
  useLayoutEffect(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const now = new Map<string, Place>();
    for (const card of list.current?.querySelectorAll<HTMLElement>('[data-item]') ?? []) {
      const id = card.dataset['item'] ?? '';
      const to = {left: card.offsetLeft, top: card.offsetTop};  // whatever was scrolled in between
      const from = places.current.get(id);
      now.set(id, to);
      if (!from || still || (from.top === to.top && from.left === to.left)) continue;
      card.animate([{transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)`}, {transform: 'none'}], kGlide);
    }
    places.current = now;
  });
  return list;
}

function Ranked({name, title, note}: {name: ListName; title: string; note: string}) {
  const watched = useWatching().lists[name];
  const entries = useStore(watched.entries);
  const error = useStore(watched.error);
  const list = useGliding();
  return (
    <Panel title={title} note={note}>
      {error !== null && <Failure error={error} />}
      {!entries && error === null && <Skeleton lines={8} />}
      {entries?.length === 0 && (
        <Empty title={`Nothing is ${title.toLowerCase()}`}>
          Nobody did anything of late. Post events, or run <code>millrace simulate --existing</code>.
        </Empty>
      )}
      <ol class="cards" ref={list} data-list={name} aria-label={title}>
        {entries?.map((item, i) => (
          <ItemCard key={item.id} item={item} rank={i + 1}
            note={`${counted(item.views, 'view')} · ${counted(item.likes, 'like')} · ${number(item.watch_count)} watched`}>
            <Spark values={watched.trail(item.id)} label={`Score of ${item.title} in the last minute`} />
          </ItemCard>
        ))}
      </ol>
    </Panel>
  );
}

export function TrendingPage() {
  return (
    <div class="grid">
      <Ranked name="trending" title="Trending" note="by decayed weight, half-life 6 h" />
      <Ranked name="rising" title="Rising" note="the last hours against the last weeks" />
    </div>
  );
}
