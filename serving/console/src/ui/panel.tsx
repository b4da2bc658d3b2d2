import type {ComponentChildren} from 'preact';
import {useId} from 'preact/hooks';

interface PanelProps {
  title: string;
  note?: ComponentChildren;
  actions?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

export function Panel({title, note, actions, children, ...rest}: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${rest.class ?? ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note && <span class="note">{note}</span>}
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

interface FigureProps {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: 'good' | 'warn' | 'bad' | undefined;
}

/** One number that matters. */
export function Figure({label, value, note, tone}: FigureProps) {
  return (
    <div class={`figure ${tone ?? ''}`}>
      <dt>{label}</dt>
      <dd>{value}{note && <small>{note}</small>}</dd>
    </div>
  );
}

export const Figures = ({children}: {children: ComponentChildren}) => <dl class="figures">{children}</dl>;
