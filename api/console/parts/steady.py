"""Lists that are written anew while somebody uses them."""

from nicegui import ui

_KEEP = """
(() => {
    const list = getHtmlElement(%d);
    let last = null;
    list.addEventListener("focusin", event => { last = event.target.id || null; });
    document.addEventListener("focusin", event => {
        if (!list.contains(event.target)) last = null;
    });
    new MutationObserver(() => {
        if (last && document.activeElement === document.body)
            document.getElementById(last)?.focus({preventScroll: true});
    }).observe(list, {childList: true, subtree: true});
})()
"""


def keep_focus(element: ui.html) -> None:
    """Gives the focus back to the link or button of the same id whenever the element's content is
    written anew: whoever uses the keyboard would be thrown out at every refresh."""
    ui.run_javascript(_KEEP % element.id)
