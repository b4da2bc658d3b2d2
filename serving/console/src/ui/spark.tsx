const kWidth = 120;
const kHeight = 28;

/** How a value went, without axes. */
export function Spark({values, label}: {values: number[]; label: string}) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const step = kWidth / Math.max(values.length - 1, 1);
  const points = values.map((value, i) =>
    `${(i * step).toFixed(1)},${(kHeight - 3 - (span > 0 ? (value - low) / span : 0.5) * (kHeight - 6)).toFixed(1)}`);
  if (points.length === 1) points.push(`${kWidth},${kHeight / 2}`);
  return (
    <svg class="spark" viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
