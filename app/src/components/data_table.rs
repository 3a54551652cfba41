//! The table of lists and reports.

use leptos::prelude::*;

/// One column: its header, and how its cells look.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    header: String,
    kind: ColumnKind,
}

#[derive(Clone, Debug)]
enum ColumnKind {
    Text,
    Number,
    /// The header is for screen readers only.
    HiddenHeader,
    /// The header links to this address, which sorts by the column.
    Sortable {
        href: String,
        /// The value of `aria-sort`, if the list is sorted by this column.
        direction: Option<&'static str>,
    },
}

impl Column {
    /// Returns a column of text.
    pub(crate) fn text(header: impl Into<String>) -> Self {
        Self { header: header.into(), kind: ColumnKind::Text }
    }

    /// Returns a column of numbers. Its cells need the class `number`, too.
    pub(crate) fn number(header: impl Into<String>) -> Self {
        Self { header: header.into(), kind: ColumnKind::Number }
    }

    /// Returns a column whose header only screen readers read.
    pub(crate) fn hidden(header: impl Into<String>) -> Self {
        Self { header: header.into(), kind: ColumnKind::HiddenHeader }
    }

    /// Returns a column that the list can be sorted by. `direction` is the value of `aria-sort`.
    pub(crate) fn sortable(header: impl Into<String>, href: String, direction: Option<&'static str>) -> Self {
        Self { header: header.into(), kind: ColumnKind::Sortable { href, direction } }
    }

    fn view(self) -> AnyView {
        let header = self.header;
        match self.kind {
            ColumnKind::Text => view! { <th scope="col">{header}</th> }.into_any(),
            ColumnKind::Number => view! { <th scope="col" class="number">{header}</th> }.into_any(),
            ColumnKind::HiddenHeader => {
                view! { <th scope="col"><span class="hidden">{header}</span></th> }.into_any()
            }
            ColumnKind::Sortable { href, direction } => {
                let direction = direction.unwrap_or("none");
                view! { <th scope="col" class="sortable" aria-sort=direction><a href=href>{header}</a></th> }
                    .into_any()
            }
        }
    }
}

/// Returns columns of text with these headers.
pub(crate) fn text_columns<const N: usize>(headers: [&'static str; N]) -> Vec<Column> {
    headers.map(Column::text).into()
}

/// A table in a region that scrolls sideways on a narrow screen. The keyboard reaches the region.
#[component]
pub(crate) fn DataTable(
    /// The accessible name of the region.
    #[prop(into)]
    label: String,
    /// The caption of the table. Screen readers read it; it is not shown unless `shows_caption` is set.
    #[prop(optional, into)]
    caption: Option<String>,
    /// Whether the caption is shown.
    #[prop(optional)]
    shows_caption: bool,
    /// The columns.
    columns: Vec<Column>,
    /// The rows of the footer.
    #[prop(optional, into)]
    footer: Option<AnyView>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let caption_class = (!shows_caption).then_some("hidden");
    view! {
        <div class="scroll" role="region" aria-label=label tabindex="0">
            <table>
                {caption.map(|caption| view! { <caption class=caption_class>{caption}</caption> })}
                <thead>
                    <tr>{columns.into_iter().map(Column::view).collect_view()}</tr>
                </thead>
                <tbody>{children()}</tbody>
                {footer.map(|footer| view! { <tfoot>{footer}</tfoot> })}
            </table>
        </div>
    }
}
