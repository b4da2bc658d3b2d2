import type {ComponentChildren} from 'preact';

export interface Column<Row> {
  head: string;
  numeric?: boolean;
  cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
}

/** Scrolls within itself where the screen is narrow, by keyboard too. */
export function Table<Row>({caption, columns, rows, keyOf}: TableProps<Row>) {
  const kind = (column: Column<Row>): string => column.numeric ? 'numeric' : '';
  return (
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <thead>
          <tr>{columns.map((column) => <th key={column.head} scope="col" class={kind(column)}>{column.head}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => <td key={column.head} class={kind(column)}>{column.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
