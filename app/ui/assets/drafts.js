// What is typed or chosen lies in the browser's storage, under the person and the subject it belongs to, until the server
// has said that it is stored. This part is put in front of each script that keeps something.
const PATIENCE_MS = 12000

const placeOf = (user, subject) => `account-intelligence:draft:${user}:${subject}`

function readDraft(place) {
  try {
    const draft = JSON.parse(localStorage.getItem(place) ?? "null")
    return draft && typeof draft.text === "string" && typeof draft.key === "string" ? draft : null
  } catch {
    return null
  }
}

function keepDraft(place, draft) {
  try {
    if (draft === null) localStorage.removeItem(place)
    else localStorage.setItem(place, JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

function readChoices(place) {
  try {
    const kept = JSON.parse(localStorage.getItem(`${place}:choices`) ?? "null")
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : null
  } catch {
    return null
  }
}

// Where a text lies that is sent, or was, with this key.
function placesOfText(user, key) {
  const ours = placeOf(user, "")
  try {
    return Object.keys(localStorage).filter((place) => place.startsWith(ours) && readDraft(place)?.key === key)
  } catch {
    return []
  }
}

// What was chosen in fields, beside a text or without one, is kept under the same place. After a reload the server shows
// its first choices again, and gets back what was kept; until it shows that, nothing is written over it.
function keepChoices(state, data, give) {
  if (!data.choices) return
  const shown = JSON.stringify(data.choices)
  if (!state.hasLooked) {
    state.hasLooked = true
    const kept = readChoices(state.place)
    if (kept && data.isUntouched && JSON.stringify(kept) !== shown) {
      state.restoringUntil = Date.now() + PATIENCE_MS
      give(kept)
      return
    }
  }
  if (data.isUntouched && Date.now() < (state.restoringUntil ?? 0)) return
  state.restoringUntil = 0
  keepDraft(`${state.place}:choices`, data.isUntouched ? null : data.choices)
}
