// What the page was told by the portal, and its words in the reader's language.
export const data = JSON.parse(document.getElementById("upload-data").textContent);
export const words = data.words;
const language = document.documentElement.lang;
const plurals = new Intl.PluralRules(language);

// Put facts into the {places} of a text; numbers are written as the language does.
export function say(text, facts) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
        const fact = name in facts ? facts[name] : whole;
        return typeof fact === "number" ? fact.toLocaleString(language) : fact;
    });
}

// Like `say`, of [singular, plural]; which of them is for so many the language knows.
export function sayCounted([one, many], number, facts) {
    return say(plurals.select(number) === "one" ? one : many, facts);
}

export function size(bytes) {
    const units = data.units;
    const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
    const number = bytes / 1000 ** power;
    const digits = { maximumFractionDigits: power ? 1 : 0 };
    return units[power].replace("%(size)s", number.toLocaleString(language, digits));
}

export function timeLeft(seconds) {
    const minutes = Math.round(seconds / 60);
    if (seconds < 60) {
        return say(words.secondsLeft, { seconds: Math.max(1, Math.ceil(seconds)) });
    }
    if (minutes < 60) {
        return say(words.minutesLeft, { minutes });
    }
    return say(words.hoursLeft, { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

// A refusal in the portal's own words: what was seen, then what to do.
export function reasonOf(refused) {
    const told = refused.told;
    if (told.code === "name_taken") {
        return words.taken;
    }
    if (!told.error && refused.status === 413) {
        return words.tooLargeBetween;
    }
    if (!told.error) {
        return say(words.unclear, { status: String(refused.status) });
    }
    return [told.error, told.hint].filter(Boolean).join(" ");
}
