import type {ComponentChildren} from 'preact';
import type {RankedItem} from '../api/types';
import {score} from '../format';
import {linkTo} from '../router';
import {Poster} from './poster';

interface ItemCardProps {
  item: RankedItem & {attributes?: Record<string, unknown>};
  rank: number;
  note?: ComponentChildren;
  children?: ComponentChildren;
}

/** An item in its place of a list: poster, title, score, and what is to be said beside. */
export function ItemCard({item, rank, note, children}: ItemCardProps) {
  return (
    <li class="card" data-item={item.id} data-score={item.score}>
      <span class="rank">{rank}</span>
      <Poster {...item} />
      <div class="card-text">
        <a href={linkTo('item', item.id)}>{item.title || item.id}</a>
        <span class="note">{note}</span>
        {children}
      </div>
      <b class="score">{score(item.score)}</b>
    </li>
  );
}
