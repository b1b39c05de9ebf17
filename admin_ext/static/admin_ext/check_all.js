"use strict";
// Ticks every box of the name in data-check-all together with the box that has it.
(() => {
    document.addEventListener("change", ({ target }) => {
        const name = target.dataset?.checkAll;
        if (!name) return;
        for (const box of target.form.querySelectorAll(`input[name="${name}"]`)) box.checked = target.checked;
    });
})();
