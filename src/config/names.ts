// Near misses: which known name did a person mean?

/** Longer input is not compared. */
const NAME_CHARACTERS_MAX = 64;

/** Returns up to three of `known` that `typed` may have meant, the nearest first; none where nothing is near. */
export function nearestNames(typed: string, known: readonly string[]): readonly string[] {
  const name = plainName(typed);
  if (name.length === 0 || name.length > NAME_CHARACTERS_MAX) return [];
  const limit = Math.max(1, Math.floor(name.length / 3));
  return known
    .map((candidate) => {
      const plain = plainName(candidate);
      const isPart = name.length >= 3 && (plain.includes(name) || name.includes(plain));
      const distance = editDistance(name, plain);
      return { candidate, distance: isPart ? Math.min(distance, limit) : distance };
    })
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Returns a name without case, spaces, dashes and underscores; points stay. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}

/** Returns how many letters must be put in, taken out, changed or swapped with a neighbour. */
function editDistance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwap = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        at(rows[row - 1], column) + 1,
        at(current, column - 1) + 1,
        at(rows[row - 1], column - 1) + (isSame ? 0 : 1),
        isSwap ? at(rows[row - 2], column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(current);
  }
  return at(rows[one.length], other.length);
}

function at(row: readonly number[] | undefined, column: number): number {
  return row?.[column] ?? Number.POSITIVE_INFINITY;
}
