/* Where a key leads from a cell of the wall. */

/*
 * Returns the cell that a key leads to, or undefined if it is not for the wall.
 * Left, right and the next unclear zone follow the order of the wall; up and
 * down follow what the eye sees, for rows flow in columns.
 */
export function moveIn(rows, cell, { key, ctrlKey }) {
  const all = rows.flat();
  const row = rows.find((cells) => cells.includes(cell));
  const place = all.indexOf(cell);
  switch (key) {
    case "ArrowRight":
      return all[place + 1];
    case "ArrowLeft":
      return all[place - 1];
    case "ArrowDown":
      return nearest(all, cell, 1);
    case "ArrowUp":
      return nearest(all, cell, -1);
    case "Home":
      return ctrlKey ? all[0] : row[0];
    case "End":
      return ctrlKey ? all.at(-1) : row.at(-1);
    case "n":
    case "N":
      return [...all.slice(place + 1), ...all.slice(0, place)].find(
        (one) => one.zone.state !== "clear",
      );
    default:
      return undefined;
  }
}

/* The cell nearest below (1) or above (-1): in the next line, then sideways. */
function nearest(cells, from, direction) {
  const here = middle(from);
  let best;
  let least = Infinity;
  for (const cell of cells) {
    const there = middle(cell);
    const down = (there.y - here.y) * direction;
    if (down < here.height / 2) continue;
    const distance = down * 100 + Math.abs(there.x - here.x);
    if (distance < least) [best, least] = [cell, distance];
  }
  return best;
}

function middle(element) {
  const box = element.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, height: box.height };
}
