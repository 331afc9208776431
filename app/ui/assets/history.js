// Going to another page with a query, Streamlit writes two entries: first the new query on the old path, which is a
// page nobody asked for, then the new path. The second takes the place of the first here, so that Back leads to the
// list with its filters.
const AT_ONCE_MS = 3000

if (!window.accountIntelligenceHistory) {
  window.accountIntelligenceHistory = true
  const push = window.history.pushState
  let half = null

  window.history.pushState = function (state, unused, url) {
    const from = new URL(window.location.href)
    const to = new URL(url ?? from.href, from.href)
    const isSecond =
      half !== null &&
      half.href === from.href &&
      to.search === from.search &&
      to.pathname !== from.pathname &&
      Date.now() - half.at < AT_ONCE_MS
    half = null
    if (isSecond) {
      window.history.replaceState(state, unused, url)
      return
    }
    push.call(window.history, state, unused, url)
    if (to.pathname === from.pathname && to.search !== from.search) half = { href: to.href, at: Date.now() }
  }
}

// How much room the page has decides which columns a table can hold and where its texts are cut: told when it changes,
// in steps, so that a window being drawn wider asks for few redraws.
const NARROW_PX = 1200
const STEP_PX = 20

function view() {
  const content = document.querySelector(".stMainBlockContainer")
  const { paddingLeft, paddingRight } = content ? getComputedStyle(content) : { paddingLeft: "0", paddingRight: "0" }
  const width = (content?.clientWidth ?? window.innerWidth) - parseFloat(paddingLeft) - parseFloat(paddingRight)
  return { room: Math.floor(width / STEP_PX) * STEP_PX, isNarrow: window.innerWidth < NARROW_PX }
}

export default function (component) {
  const { data, setStateValue } = component
  let told = data?.view
  const tell = () => {
    const now = view()
    if (now.room <= 0 || (now.room === told?.room && now.isNarrow === told?.isNarrow)) return
    told = now
    setStateValue("view", now)
  }
  tell()
  window.addEventListener("resize", tell)
  return () => window.removeEventListener("resize", tell)
}
