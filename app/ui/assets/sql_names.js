// Names to complete what is typed in the SQL editor: tables behind FROM and JOIN, columns of the tables a statement names.
const NAMED = /\b(?:from|join)\s+([a-z_]\w*)(?:\s+(?:as\s+)?(?!join\b)([a-z_]\w*))?/gi
const MOST_NAMES = 8

// What stands before the caret and could be gone on with: its first letters, the name before a dot, and whether a table
// is wanted. Nothing inside a text or a comment.
function unfinished(text, caret) {
  for (const found of text.matchAll(TOKEN)) {
    const end = found.index + found[0].length
    if ((found[1] || found[2]) && found.index < caret && caret <= end) return null
  }
  const [, of, letters] = /(?:\b([a-z_]\w*)\.)?([a-z_]\w*)?$/i.exec(text.slice(0, caret))
  const start = caret - (letters ?? "").length
  const isTable = /\b(?:from|join)\s+$/i.test(text.slice(0, start))
  return { of: of?.toLowerCase(), letters: (letters ?? "").toLowerCase(), start, isTable }
}

// [name, what it is] of all that fits, those that begin with the letters first; tables: [name, grain, [[column, type]]]
function namesFor(word, text, tables) {
  const byName = new Map(tables.map((table) => [table[0], table]))
  const named = new Map()
  for (const [, table, alias] of text.matchAll(NAMED)) {
    const known = byName.get(table.toLowerCase())
    if (!known) continue
    named.set(known[0], known)
    if (alias && !WORDS.has(alias.toLowerCase())) named.set(alias.toLowerCase(), known)
  }
  const ofTables = tables.map(([name, grain]) => [name, grain])
  const columns = (table) => table[2].map(([name, kind]) => [name, `${kind}, ${table[0]}`])
  let offered
  if (word.of) offered = columns(named.get(word.of) ?? byName.get(word.of) ?? ["", "", []])
  else if (word.isTable) offered = ofTables
  else offered = [...new Set(named.values())].flatMap(columns).concat(ofTables)
  const seen = new Set()
  const fits = offered.filter(([name]) => name !== word.letters && name.includes(word.letters) && !seen.has(name) && seen.add(name))
  fits.sort((one, other) => other[0].startsWith(word.letters) - one[0].startsWith(word.letters))
  return fits.slice(0, MOST_NAMES)
}

// The list below the caret. `taken` is called once a name stands in the text.
function completion(root, area, tablesNow, taken) {
  const list = root.querySelector(".ai-sql-names")
  let word = null, names = [], at = 0, hasMoved = false

  const close = () => {
    names = []
    list.hidden = true
    area.removeAttribute("aria-activedescendant")
  }
  const mark = () => {
    for (const [place, item] of [...list.children].entries()) item.setAttribute("aria-selected", place === at)
    area.setAttribute("aria-activedescendant", list.children[at].id)
    list.children[at].scrollIntoView({ block: "nearest" })
  }
  const take = (place) => {
    area.setRangeText(names[place][0], word.start, area.selectionStart, "end")
    close()
    area.focus()
    taken()
  }
  const open = (isAsked) => {
    close()
    if (area.selectionStart !== area.selectionEnd) return
    word = unfinished(area.value, area.selectionStart)
    if (!word || !(isAsked || word.of || word.letters.length > 1)) return
    names = namesFor(word, area.value, tablesNow())
    if (!names.length) return
    list.replaceChildren(...names.map(([name, about], place) => {
      const item = document.createElement("li")
      item.id = `ai-sql-name-${place}`
      item.setAttribute("role", "option")
      const small = document.createElement("small")
      small.textContent = about
      item.append(name, small)
      item.onmousedown = (event) => {
        event.preventDefault()
        take(place)
      }
      return item
    }))
    const style = getComputedStyle(area)
    const brush = document.createElement("canvas").getContext("2d")
    brush.font = `${style.fontSize} ${style.fontFamily}`
    const lines = area.value.slice(0, word.start).split("\n")
    const left = 11 + brush.measureText(lines.at(-1)).width - area.scrollLeft
    list.style.left = `${Math.max(0, Math.min(left, root.clientWidth - 360))}px`
    list.style.top = `${13 + lines.length * parseFloat(style.lineHeight) - area.scrollTop}px`
    list.hidden = false
    at = 0
    hasMoved = false
    mark()
  }
  // whether the key was for the list
  const heard = (event) => {
    if (event.key === " " && event.ctrlKey) open(true)
    else if (list.hidden) return false
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : names.length - 1)) % names.length
      hasMoved = true
      mark()
    } else if ((event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && hasMoved && !event.ctrlKey && !event.metaKey)) take(at)
    else if (event.key === "Escape") close()
    else {
      if (/^(Arrow|Home|End|Page|Enter)/.test(event.key)) close()
      return false
    }
    event.preventDefault()
    return true
  }
  return { open, close, heard }
}
