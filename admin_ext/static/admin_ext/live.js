"use strict";
// Keeps every [data-job-progress-url] of the page current: one request at a time, a
// round every two seconds, none while the tab is hidden, none after the jobs' ends.
// It sends back a mark of some seconds ago, from which the server tells the recent rate,
// and the furthest progress shown, below which no bar falls.
(() => {
    const PERIOD_MS = 2000;
    const MARKS_KEPT = 6;
    const SELECTOR = "[data-job-progress-url]";
    let timer = null;

    const show = (element, figures) => {
        const bar = element.querySelector("progress");
        if (bar) bar.value = figures.percent;
        const summary = element.querySelector("[data-job-state]");
        if (summary) summary.textContent = figures.summary;
        for (const place of element.querySelectorAll("[data-text]")) {
            const text = figures.texts[place.dataset.text];
            // Only a changed text is announced by screen readers.
            if (text !== undefined && place.textContent !== text) place.textContent = text;
        }
    };

    const stop = (element) => element.removeAttribute("data-job-progress-url");

    const ask = (url, type) =>
        fetch(url, {
            credentials: "same-origin",
            cache: "no-store",
            redirect: "error",
            headers: { Accept: type },
        });

    const question = ({ jobProgressUrl, marks, mark, top }) => {
        const since = (marks ?? mark ?? "").split(" ")[0];
        return `${jobProgressUrl}?${new URLSearchParams({ since, top: top ?? "" })}`;
    };

    const remember = ({ dataset }, { mark, top }) => {
        const marks = (dataset.marks ?? dataset.mark ?? mark).split(" ");
        dataset.marks = [...marks, mark].slice(-MARKS_KEPT).join(" ");
        dataset.top = top;
    };

    // The list of files is fetched anew when an outcome has changed, but not from under
    // the focus of somebody who is in it.
    const refreshItems = async ({ dataset }, { outcomes }) => {
        const items = document.getElementById("items");
        const now = JSON.stringify(outcomes);
        const same = dataset.outcomes === now;
        if (!dataset.jobItemsUrl || same || items.contains(document.activeElement)) return;
        const answer = await ask(dataset.jobItemsUrl + window.location.search, "text/html");
        if (!answer.ok) return;
        items.outerHTML = await answer.text();
        dataset.outcomes = now;
    };

    const refresh = async (element) => {
        const answer = await ask(question(element.dataset), "application/json");
        if ([401, 403, 404].includes(answer.status)) return stop(element);
        if (!answer.ok) return;
        const figures = await answer.json();
        show(element, figures);
        remember(element, figures);
        if (!figures.ended) return refreshItems(element, figures);
        stop(element);
        if (element.closest("[data-reload-when-ended]")) window.location.reload();
    };

    const round = async () => {
        timer = null;
        for (const element of document.querySelectorAll(SELECTOR)) {
            if (document.hidden) return;
            // A network error passes; the next round asks again.
            await refresh(element).catch(() => undefined);
        }
        plan();
    };

    const plan = () => {
        if (timer !== null || document.hidden) return;
        if (document.querySelector(SELECTOR)) timer = setTimeout(round, PERIOD_MS);
    };

    document.addEventListener("visibilitychange", plan);
    document.addEventListener("DOMContentLoaded", plan);
    document.addEventListener("muniment:renewed", plan);
})();
