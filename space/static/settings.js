// Which model the page shows and where it is, as it stands in the page or in a file beside it.

export const settings = JSON.parse(document.getElementById("settings").textContent);

// A publisher may leave the page as it is and put a file beside it: {"id": ..., "revision": ...}.
export async function readPinned() {
  if (!settings.pinned) return;
  const answer = await fetch(settings.pinned).catch(() => null);
  if (!answer?.ok) return;
  const { id, revision, ...more } = await answer.json();
  Object.assign(settings, more, { model: id ?? settings.model, revision: revision ?? settings.revision });
}

export const hub = () => new URL(settings.host, document.baseURI).href.replace(/\/$/, "");
