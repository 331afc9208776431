// Drafts whose text the server has stored, by the key it was sent with; text that was changed since has another key.
const PREFIX = "account-intelligence:draft:"

export default function (component) {
  const stored = new Set(component.data.stored)
  if (stored.size === 0) return
  try {
    for (const place of Object.keys(localStorage)) {
      if (!place.startsWith(PREFIX) || place.endsWith(":choices")) continue
      if (stored.has(JSON.parse(localStorage.getItem(place))?.key)) {
        localStorage.removeItem(place)
        localStorage.removeItem(`${place}:choices`)
      }
    }
  } catch {
    // no storage, or a value that is none of ours: nothing to forget
  }
}
