"use strict";
// Names and keys that parts of Unfold's, Django's and select2's pages lack for those who
// do not see them or use no mouse.
(() => {
    // A combobox is named by its field's label and by what is chosen, not by that alone.
    const nameCombobox = (box) => {
        const field = box.closest(".select2-container")?.previousElementSibling;
        const label = field?.labels?.[0];
        if (!label) return;
        label.id ||= `${field.id}_label`;
        const chosen = box.getAttribute("aria-labelledby");
        if (!chosen?.split(" ").includes(label.id)) {
            box.setAttribute("aria-labelledby", [label.id, chosen].filter(Boolean).join(" "));
        }
        box.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    };

    // The arrow that opens a row of a list; its cell takes the click.
    const ARROW = "#result_list td.cursor-pointer > .material-symbols-outlined";

    // Alpine shows the row some time after the click, so the row is watched and not the click.
    const tellState = (arrow) => {
        const opened = arrow.closest("tbody").querySelector("tr[x-show]");
        const tell = () => {
            arrow.setAttribute("aria-expanded", String(opened.offsetParent !== null));
        };
        new MutationObserver(tell).observe(opened, { attributeFilter: ["style"] });
        tell();
    };

    const nameArrow = (arrow) => {
        const words = arrow.closest("[data-open-row]")?.dataset.openRow;
        if (!words || arrow.tabIndex === 0) return;
        const row = arrow.closest("tr").querySelector("th")?.innerText ?? "";
        arrow.setAttribute("role", "button");
        arrow.setAttribute("aria-label", `${words} ${row.trim()}`);
        arrow.tabIndex = 0;
        tellState(arrow);
    };

    const nameAll = () => {
        document.querySelectorAll("[role=combobox].select2-selection").forEach(nameCombobox);
        document.querySelectorAll("span.help-tooltip[aria-label]").forEach((hint) => {
            hint.setAttribute("role", "img");
        });
        document.querySelectorAll(ARROW).forEach(nameArrow);
    };

    document.addEventListener("keydown", (event) => {
        if (![" ", "Enter"].includes(event.key) || !event.target.matches?.(ARROW)) return;
        event.preventDefault();
        event.target.parentElement.click();
    });

    document.addEventListener("muniment:renewed", () => setTimeout(nameAll));
    // Those parts are made when the page has loaded, by scripts that may stand later.
    window.addEventListener("load", () => setTimeout(nameAll));
})();
