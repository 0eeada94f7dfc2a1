// Brings the items of a list up to date one by one, so that those that did not change stay as they
// are: with the focus, with a selection, in their place under the reader's eyes.
window.steadyList = (id, {keys, cards}) => {
  const list = document.getElementById(id);
  if (!list) return;
  const held = new Map([...list.children].map(item => [item.dataset.key, item]));
  for (const [key, card] of Object.entries(cards)) {
    const template = document.createElement("template");
    template.innerHTML = card;
    const item = template.content.firstElementChild;
    const old = held.get(key);
    if (old) {
      const focused = old.contains(document.activeElement);
      old.replaceWith(item);
      if (focused) item.querySelector("a")?.focus({preventScroll: true});
    }
    held.set(key, item);
  }
  const wanted = new Set(keys);
  for (const [key, item] of held)
    if (!wanted.has(key) && !item.contains(document.activeElement)) item.remove();
  let next = list.firstElementChild;
  for (const key of keys) {
    const item = held.get(key);
    if (!item) continue;
    while (next && !wanted.has(next.dataset.key)) next = next.nextElementSibling;
    if (item === next) next = next.nextElementSibling;
    else list.insertBefore(item, next);
  }
};
