// Fields beside which no text stands: the browser keeps what was changed in them, gives it back after a reload, and drops
// it when it was stored or thrown away.
const instances = new WeakMap()
const dropped = new Set()

function forget(place) {
  keepDraft(place, null)
  keepDraft(`${place}:choices`, null)
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  if (data.gone && !dropped.has(data.gone.id)) {
    dropped.add(data.gone.id)
    for (const subject of data.gone.subjects) forget(placeOf(data.user, subject))
    for (const key of data.gone.keys) placesOfText(data.user, key).forEach(forget)
  }
  if (!data.subject) return
  const place = placeOf(data.user, data.subject)
  let state = instances.get(parentElement)
  if (!state || state.place !== place) {
    state = { place }
    instances.set(parentElement, state)
  }
  keepChoices(state, data, (kept) => setTriggerValue("restored", kept))
}
