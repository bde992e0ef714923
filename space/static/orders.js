// The random orders of words for Shapley values, the same that inference/explain.py draws.

const SEED = 20260101;
const MOST_ORDERS = 32;
const MOST_VARIANTS = 512; // texts; with many words there are fewer orders

export function drawOrders(words) {
  const count = Math.min(MOST_ORDERS, Math.floor(MOST_VARIANTS / Math.max(words, 1)));
  const orders = [];
  let state = SEED;
  for (let pair = 0; pair < Math.max(1, Math.floor(count / 2)); pair++) {
    const order = [...Array(words).keys()];
    for (let last = words - 1; last > 0; last--) {
      state = (Math.imul(1664525, state) + 1013904223) >>> 0;
      const other = Math.floor((state * (last + 1)) / 2 ** 32);
      [order[last], order[other]] = [order[other], order[last]];
    }
    orders.push(order, [...order].reverse());
  }
  return orders;
}
