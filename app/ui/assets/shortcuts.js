// Keys that Streamlit has no setting for: `?` asks for the list of keys, Enter opens the row of a table, and a dialog begins
// at the field that is filled in first.
const TYPING = "input, textarea, select, [contenteditable='true'], [role='combobox'], [role='textbox']"
const DIALOG = "[role='dialog']"

// Not while somebody is typing or a dialog is open: two cannot be open at once.
function asksForKeys(event) {
  if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  if (event.target instanceof Element && event.target.closest(TYPING)) return false
  return !document.querySelector(DIALOG)
}

// A cell with a button answers to a pointer alone. So Enter, in any cell of a row, looks for the button of that row as a
// pointer would, by the shape the cursor takes over it, and presses it.
const FRAMES = 2
const STEP = 20
const HEAD_REM = 2.25
const BOX_WIDTH = 36

const frames = (count) =>
  new Promise((done) => requestAnimationFrame(() => (count > 1 ? frames(count - 1).then(done) : done())))

async function openRow(cell) {
  const canvas = cell.closest("canvas")
  const scroller = cell.closest("[data-testid='stDataFrame']")?.querySelector(".dvn-scroller")
  const rows = Number(cell.closest("table").getAttribute("aria-rowcount")) - 1
  const row = Number(cell.parentElement.getAttribute("aria-rowindex")) - 2
  if (!canvas || !scroller || !(rows > 0) || !(row >= 0)) return
  const head = HEAD_REM * parseFloat(getComputedStyle(document.documentElement).fontSize)
  const height = (scroller.querySelector(".dvn-stack").scrollHeight - head) / rows
  const place = canvas.getBoundingClientRect()
  const y = place.top + head + (row + 0.5) * height - scroller.scrollTop
  const hasBoxes = cell.id.split("-")[2] !== String(Number(cell.getAttribute("aria-colindex")) - 1)
  const point = (kind, x) =>
    canvas.dispatchEvent(
      new PointerEvent(kind, { clientX: x, clientY: y, bubbles: true, cancelable: true, pointerType: "mouse", isPrimary: true }),
    )
  for (let x = place.left + (hasBoxes ? BOX_WIDTH : 0) + STEP / 2; x < place.right; x += STEP) {
    point("pointermove", x)
    await frames(FRAMES)
    if (canvas.style.cursor !== "pointer") continue
    for (const kind of ["pointerdown", "pointerup", "click"]) point(kind, x)
    return
  }
}

// Its content arrives after a dialog has taken the focus; who has gone on to another field by then is left there.
const begun = new WeakSet()
function begin() {
  for (const dialog of document.querySelectorAll(DIALOG)) {
    const field = begun.has(dialog) ? null : dialog.querySelector("[class*='st-key-start_here'] input")
    if (!field) continue
    begun.add(dialog)
    if (document.activeElement === dialog || !dialog.contains(document.activeElement)) field.focus()
  }
}

export default function (component) {
  const { setTriggerValue } = component
  const asked = (event) => {
    if (!asksForKeys(event)) return
    event.preventDefault()
    setTriggerValue("asked", true)
  }
  // before the table itself, which keeps the keys that it knows to itself
  const entered = (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    const cell = event.target instanceof Element ? event.target.closest("canvas [role='gridcell']") : null
    if (cell) openRow(cell)
  }
  const watch = new MutationObserver(begin)
  watch.observe(document.body, { childList: true, subtree: true })
  document.addEventListener("keydown", asked)
  document.addEventListener("keydown", entered, true)
  return () => {
    watch.disconnect()
    document.removeEventListener("keydown", asked)
    document.removeEventListener("keydown", entered, true)
  }
}
