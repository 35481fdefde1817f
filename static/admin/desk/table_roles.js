// Safari forgets that a table is one once its rows are drawn as cards, so the table says it in words.
(() => {
  const roles = {
    table: "table",
    "thead, tbody, tfoot": "rowgroup",
    tr: "row",
    td: "cell",
    "th[scope=col]": "columnheader",
    "th[scope=row]": "rowheader",
  };
  for (const table of all(".table--cards"))
    for (const [parts, role] of Object.entries(roles))
      for (const part of [table, ...all("*", table)]) if (part.matches(parts)) part.setAttribute("role", role);
})();
