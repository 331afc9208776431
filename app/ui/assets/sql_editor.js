// An editor for one statement: a plain text area, as keyboards and screen readers know it, over the same text in colours.
// What is typed lies in the browser's storage (drafts.js) and is told to the server after a pause, so that it can ask for
// the values of parameters; what the server loads (a saved query, one of the history) takes the place of it.
const editors = new WeakMap()
const PAUSE_MS = 600
const WORDS = new Set((
  "all and any array as asc between by case cast collate cross current_date current_timestamp desc distinct else end escape " +
  "except exists extract false fetch filter first following for from full group grouping having ilike in inner intersect " +
  "interval is join last lateral left like limit natural not null nulls offset on or order outer over partition preceding " +
  "range recursive right row rows select sets similar some symmetric table then to true unbounded union unnest using values " +
  "when where window with within without"
).split(" "))
const TOKEN = /(--[^\n]*|\/\*[^]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$)|\$\$[^]*?(?:\$\$|$))|("(?:[^"]|"")*(?:"|$))|(::)|(:[a-z_]\w*)|(\b\d+(?:\.\d+)?\b)|([a-z_]\w*)/gi

function painted(text) {
  const parts = document.createDocumentFragment()
  let done = 0
  const add = (piece, kind) => {
    if (!kind) parts.append(piece)
    else {
      const span = document.createElement("span")
      span.className = kind
      span.textContent = piece
      parts.append(span)
    }
  }
  for (const found of text.matchAll(TOKEN)) {
    add(text.slice(done, found.index))
    const [piece, comment, string, , , parameter, number, word] = found
    const isKeyword = word && WORDS.has(word.toLowerCase())
    add(piece, comment ? "c" : string ? "s" : parameter ? "p" : number ? "n" : isKeyword ? "w" : null)
    done = found.index + piece.length
  }
  add(text.slice(done) + "\n")
  return parts
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".ai-sql")
  const area = root.querySelector(".ai-sql-text")
  const paint = root.querySelector(".ai-sql-paint")
  const place = placeOf(data.user, "sql")

  let state = editors.get(parentElement)
  const isNew = !state
  if (isNew) {
    state = { loaded: null, told: null, timer: null, tables: [] }
    editors.set(parentElement, state)
  }
  state.tables = data.tables
  const draw = () => paint.querySelector("code").replaceChildren(painted(area.value))
  const keep = () => keepDraft(place, area.value === "" ? null : { text: area.value, key: "sql", at: Date.now() })
  const tell = () => {
    clearTimeout(state.timer)
    if (state.told === area.value) return
    state.told = area.value
    setTriggerValue("typed", area.value)
  }
  if (state.loaded !== data.load.id) {
    // after a reload of the page the draft counts, unless something was opened since
    const draft = isNew && data.load.id === 0 ? readDraft(place)?.text : undefined
    area.value = draft ?? data.load.text
    state.loaded = data.load.id
    state.told = data.load.text
    draw()
    keep()
    if (area.value !== data.load.text) tell()
  }
  const send = (name) => {
    clearTimeout(state.timer)
    state.told = area.value
    setTriggerValue(name, area.value)
  }

  area.setAttribute("aria-label", data.label)
  const changed = () => {
    draw()
    keep()
    clearTimeout(state.timer)
    state.timer = setTimeout(tell, PAUSE_MS)
  }
  state.changed = changed
  state.names ??= completion(root, area, () => state.tables, () => state.changed())
  const names = state.names
  area.oninput = () => {
    changed()
    names.open(false)
  }
  area.onblur = () => {
    names.close()
    tell()
  }
  area.onclick = names.close
  area.onscroll = () => {
    paint.scrollTop = area.scrollTop
    paint.scrollLeft = area.scrollLeft
  }
  let isLeaving = false
  area.onkeydown = (event) => {
    event.stopPropagation()
    if (event.key === "Escape") isLeaving = true
    if (names.heard(event)) return
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      send("run")
    } else if (event.key === "Tab" && !event.shiftKey && !isLeaving) {
      event.preventDefault()
      area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end")
      changed()
    } else if (event.key !== "Shift" && event.key !== "Escape") isLeaving = false
  }
  root.querySelector(".ai-sql-run").onclick = () => send("run")
  root.querySelector(".ai-sql-plan").onclick = () => send("plan")
  return () => clearTimeout(state.timer)
}
