import {useId, useState} from 'preact/hooks';

interface SearchProps {
  label: string;
  hint: string;
  value: string;
  suggestions?: {value: string; label?: string}[];
  onInput?: (text: string) => void;
  onSearch: (text: string) => void;
}

/** A field with suggestions; Enter searches. */
export function Search({label, hint, value, suggestions = [], onInput, onSearch}: SearchProps) {
  const id = useId();
  const [text, setText] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    setShown(value);
    setText(value);
  }
  return (
    <form class="search" role="search" onSubmit={(event) => {
      event.preventDefault();
      if (text.trim()) onSearch(text.trim());
    }}>
      <label for={id}>{label}</label>
      <input id={id} type="search" value={text} placeholder={hint} list={`${id}-list`} autocomplete="off"
        onInput={({currentTarget}) => {
          setText(currentTarget.value);
          onInput?.(currentTarget.value);
        }} />
      <datalist id={`${id}-list`}>
        {suggestions.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
      </datalist>
      <button type="submit">Show</button>
    </form>
  );
}
