/* Help for people with JavaScript. Every page works without it; words come from the templates, never from data as HTML. */
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
