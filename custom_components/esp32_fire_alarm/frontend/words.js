/* The sentences of the wall in the user's language. */

import en from "./words-en.js";
import id from "./words-id.js";

const LANGUAGES = { en, id };

/*
 * Returns a function that says a sentence with its placeholders filled in.
 * With a number `n` the sentence may have a form for one and one for others.
 */
export function translator(language) {
  const short = (language ?? "en").split("-")[0];
  const words = LANGUAGES[short] ?? en;
  const plural = new Intl.PluralRules(words === en ? "en" : short);
  const numbers = new Intl.NumberFormat(language);
  return (key, values = {}) => {
    const form = `${key}_${values.n === 1 ? "one" : plural.select(values.n ?? 0)}`;
    const sentence = words[key] ?? words[form] ?? words[`${key}_other`] ?? key;
    return sentence.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? numbers.format(value) : String(value ?? "");
    });
  };
}
