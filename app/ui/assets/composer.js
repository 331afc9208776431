// A text that is never lost. What is typed lies in the browser's storage from the first key on, under the person and the
// subject it belongs to, and leaves it only when the server has said that the text is stored. The key sent along makes a
// second sending of the same text, after a lost answer or a reload, the same note; changed text gets a new key.
const instances = new WeakMap()

function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f")
const clock = (at) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".ai-composer")
  const area = root.querySelector(".ai-composer-text")
  const status = root.querySelector(".ai-composer-status")
  const button = root.querySelector(".ai-composer-save")
  const place = placeOf(data.user, data.subject)

  let state = instances.get(parentElement)
  if (!state || state.place !== place) {
    const draft = readDraft(place)
    state = { place, start: data.start, key: draft?.key ?? freshKey(), at: draft?.at ?? null, attempted: draft?.attempted ?? false, sent: null, failed: false }
    instances.set(parentElement, state)
    area.value = draft?.text ?? data.start
  }

  // what it starts from may change under it; a text that nobody touched follows, and is not taken for a draft
  if (state.start !== data.start) {
    if (area.value === state.start) area.value = data.start
    state.start = data.start
  }

  const store = () => {
    state.at = Date.now()
    const isEmpty = area.value === data.start
    state.isKept = keepDraft(place, isEmpty ? null : { text: area.value, key: state.key, at: state.at, attempted: state.attempted })
  }

  if (state.sent && data.acknowledged === state.sent.key) {
    clearTimeout(state.timer)
    keepDraft(`${place}:choices`, null)
    const stored = state.sent
    Object.assign(state, { sent: null, failed: false, attempted: false, key: freshKey(), at: null })
    if (area.value === stored.text) {
      area.value = data.start
      keepDraft(place, null)
    } else store()
  } else if (state.sent && data.refused === state.sent.key) {
    clearTimeout(state.timer)
    Object.assign(state, { sent: null, failed: false })
  }

  keepChoices(state, data, (kept) => setTriggerValue("restored", kept))

  const paint = () => {
    const length = Array.from(area.value).length
    const isEmpty = area.value.trim() === ""
    const isLong = length > data.limit
    const parts = []
    if (state.sent) parts.push("saving…")
    else if (isLong) parts.push(`${grouped(length - data.limit)} characters too many; the draft is kept`)
    else if (state.failed) parts.push("no answer from the server; the draft is kept, save again")
    else if (data.missing || (isEmpty && data.emptyHint)) parts.push([data.missing, isEmpty ? data.emptyHint : ""].filter(Boolean).join(", "))
    if (!isEmpty && !state.sent && !isLong && !state.failed) {
      parts.push(state.isKept === false ? "this browser keeps no drafts" : state.at ? `draft kept ${clock(state.at)}` : "")
      parts.push(`${grouped(length)} of ${grouped(data.limit)}`)
    }
    status.textContent = parts.filter(Boolean).join(" · ")
    status.dataset.tone = isLong || state.failed ? "bad" : "calm"
    button.disabled = Boolean(state.sent) || (isEmpty && !data.isOptional) || isLong || Boolean(data.missing)
  }

  const save = () => {
    if (button.disabled) return
    state.attempted = true
    state.sent = { text: area.value, key: state.key }
    store()
    setTriggerValue("saved", { text: area.value, key: state.key })
    state.timer = setTimeout(() => { Object.assign(state, { sent: null, failed: true }); paint() }, PATIENCE_MS)
    paint()
  }

  area.setAttribute("aria-label", data.label)
  area.placeholder = data.placeholder
  area.style.minHeight = `${data.height}px`
  area.oninput = () => {
    state.failed = false
    if (state.attempted && !state.sent) Object.assign(state, { key: freshKey(), attempted: false })
    store()
    paint()
  }
  area.onkeydown = (event) => {
    event.stopPropagation()
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      save()
    }
  }
  const fromAnywhere = (event) => {
    const isAsked = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented
    if (data.isSentFromAnywhere && isAsked && event.target !== area) {
      event.preventDefault()
      // the field that has the focus gives its value to the server when it loses it
      document.activeElement?.blur()
      setTimeout(save, 60)
    }
  }
  // before the fields themselves: some keep the keys that they know to themselves
  document.removeEventListener("keydown", state.fromAnywhere, true)
  state.fromAnywhere = fromAnywhere
  document.addEventListener("keydown", fromAnywhere, true)
  button.textContent = data.button
  const hint = document.createElement("kbd")
  hint.textContent = "Ctrl + Enter"
  button.append(hint)
  button.onclick = save
  paint()
  return () => {
    clearTimeout(state.timer)
    document.removeEventListener("keydown", state.fromAnywhere, true)
  }
}
