// Formulas are drawn by KaTeX, whose files lie beside: no network is needed.
// Where a heading is called "Exports", KaTeX takes its element for a module's exports.
const { render } = window.katex ?? window.exports.katex;

document$.subscribe(({ body }) => {
  for (const element of body.querySelectorAll(".arithmatex")) {
    const formula = element.textContent.trim().slice(2, -2); // without its delimiters
    render(formula, element, { displayMode: element.tagName === "DIV" });
  }
});
