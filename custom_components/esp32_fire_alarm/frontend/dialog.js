/* Modal dialogs on the browser's own element, which keeps the focus inside. */

import { el, setText } from "./dom.js";

/* Opens a dialog with this content in `root`; it is removed when it closes. */
export function openDialog(root, t, { title, kind = "", onClose }, ...content) {
  const heading = el("h2", { id: `title-${kind}` }, title);
  const close = el("button", { class: "close", type: "button", "aria-label": t("close") }, "✕");
  const dialog = el(
    "dialog",
    { class: kind, "aria-labelledby": `title-${kind}` },
    el("div", { class: "bar" }, heading, close),
    ...content,
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    // Only the backdrop is the dialog itself; all else is inside of it.
    if (event.target === dialog && isOutside(dialog, event)) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose?.();
  });
  root.append(dialog);
  dialog.showModal();
  return { dialog, heading };
}

function isOutside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

/*
 * Asks before something is done. `fields` are labels with inputs to fill in.
 * What fails is said in the dialog, which stays open.
 */
export function ask(root, t, { title, text, yes, fields = [] }, act) {
  const fault = el("p", { class: "fault", role: "alert" });
  const confirm = el("button", { class: "act primary", type: "submit" }, yes);
  const cancel = el("button", { class: "act", type: "button" }, t("cancel"));
  const form = el(
    "form",
    { method: "dialog" },
    el("p", {}, text),
    ...fields,
    fault,
    el("div", { class: "acts" }, cancel, confirm),
  );
  const { dialog } = openDialog(root, t, { title, kind: "question" }, form);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    setText(fault, "");
    try {
      await act();
      dialog.close();
    } catch (error) {
      setText(fault, t("failed", { why: error?.message ?? String(error) }));
    }
    confirm.disabled = false;
  });
  (fields[0]?.querySelector("input") ?? confirm).focus();
}
