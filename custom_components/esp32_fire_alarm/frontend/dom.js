/* Building elements. Every text goes in as text: nothing is ever parsed as markup. */

/*
 * Makes an element. `on` holds listeners; a property that is null or false is
 * left out, true becomes an empty attribute. Children are elements or texts.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") {
      for (const [kind, listener] of Object.entries(value)) element.addEventListener(kind, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/* Writes a text only if it is another one: screen readers and layout notice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/* Writes an attribute only if it is another one; null removes it. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function styleSheet(...texts) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(texts.join("\n"));
  return sheet;
}

/* Lets Home Assistant do something: open its menu, its zone dialog, a toast. */
export function askHomeAssistant(element, kind, detail = {}) {
  element.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
}
