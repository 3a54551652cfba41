//! One report: filters, chart, table.

use super::chart::Chart;
use crate::components::{
    Column, Crumb, DataTable, DateInput, Day, FieldProblem, PageLayout, ProblemSummary, date_query,
    guarded_page, query,
};
use crate::error::AppError;
use crate::state::store;
use db::RecordsError;
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::use_params_map;
use policy::form::FieldErrors;
use policy::numbers::grouped;
use records::report::{Counted, Report, ReportForm, ReportQuery, count};

/// Shows the report of the code in the address.
#[component]
pub fn ReportPage() -> impl IntoView {
    let code = use_params_map().with_untracked(|params| params.get("report")).unwrap_or_default();
    let form = ReportForm { from: date_query("from"), to: date_query("to"), by: query("by") };
    guarded_page(async move {
        let report = Report::from_code(&code).ok_or(RecordsError::NotFound("report"))?;
        let (errors, result) = match form.validate(report) {
            Err(errors) => {
                expect_context::<ResponseOptions>().set_status(StatusCode::UNPROCESSABLE_ENTITY);
                (errors, None)
            }
            Ok(query) => (FieldErrors::default(), Some((query, count(&store(), report, &query).await?))),
        };
        Ok(view! { <ReportView report form errors result /> })
    })
}

#[component]
fn ReportView(
    report: Report,
    form: ReportForm,
    errors: FieldErrors,
    result: Option<(ReportQuery, Counted)>,
) -> impl IntoView {
    let crumbs: Vec<Crumb> = vec![("Reports".to_owned(), "/reports".to_owned())];
    let error = (!errors.is_empty()).then(|| AppError::Refused(wrong(&errors)));
    view! {
        <PageLayout title=report.label() lead=report.explanation() crumbs>
            <ProblemSummary error />
            <Filters report form errors />
            {result.map(|(query, counted)| view! { <ReportResult query counted /> })}
        </PageLayout>
    }
}

fn wrong(errors: &FieldErrors) -> String {
    let count = i64::try_from(errors.0.len()).unwrap_or(i64::MAX);
    let fields = policy::numbers::counted(count, "field", "fields");
    format!("The report cannot be shown: correct {fields} below")
}

#[component]
fn Filters(report: Report, form: ReportForm, errors: FieldErrors) -> impl IntoView {
    let dates =
        [("from", "First day", form.from), ("to", "Last day", form.to)].map(|(name, label, typed)| {
            view! {
                <div class="field">
                    <label for=name>{label}</label>
                    <DateInput id=name name value=typed wrong=errors.message(name).is_some()
                        described=format!("{name}-problem") />
                    <FieldProblem field=name errors=errors.clone() />
                </div>
            }
        });
    let unsplit = form.by.is_empty();
    let choices = report.choices().iter().map(|key| {
        let selected = key.code() == form.by;
        view! { <option value=key.code() selected=selected>{key.label()}</option> }
    });
    view! {
        <form class="filters" method="get" action=format!("/reports/{}", report.code())>
            {dates.collect_view()}
            <div class="field">
                <label for="by">"Rows by"</label>
                <select
                    id="by"
                    name="by"
                    aria-invalid=errors.message("by").is_some().then_some("true")
                    aria-describedby="by-problem"
                >
                    <option value="" selected=unsplit>{report.no_choice()}</option>
                    {choices.collect_view()}
                </select>
                <FieldProblem field="by" errors=errors.clone() />
            </div>
            <div class="field">
                <button type="submit">"Show report"</button>
                <p class="problem"></p>
            </div>
        </form>
    }
}

#[component]
fn ReportResult(query: ReportQuery, counted: Counted) -> impl IntoView {
    let report = counted.report;
    let file = format!("/reports/{}/csv{}", report.code(), query.address());
    if counted.rows.is_empty() {
        return view! { <EmptyReport query report /> }.into_any();
    }
    view! {
        <p>
            {report.label()}", "{period(query)}"." " "
            <a href=file download>"Download report as CSV"</a>
        </p>
        <div class="report">
            <Chart counted=counted.clone() />
            <ReportTable query counted />
        </div>
        <p class="hint">{report.note()}</p>
    }
    .into_any()
}

#[component]
fn EmptyReport(query: ReportQuery, report: Report) -> impl IntoView {
    let what = report.events();
    let limited = query.from.is_some() || query.to.is_some();
    view! {
        <div class="empty">
            <p><b>{format!("No {what} {}.", if limited { "in this period" } else { "yet" })}</b></p>
            {if limited {
                view! {
                    <p>
                        {format!("Nothing was recorded {}. ", query.period())}
                        <a href=format!("/reports/{}", report.code())>"Show report for all time"</a>
                    </p>
                }
                    .into_any()
            } else {
                view! {
                    <p>
                        "The report counts loans as they are issued. To import earlier loans, run "
                        <code>"lethe import loans FILE"</code>"."
                    </p>
                }
                    .into_any()
            }}
        </div>
    }
}

/// Renders the period, with machine-readable dates.
fn period(query: ReportQuery) -> impl IntoView {
    match (query.from, query.to) {
        (None, None) => query.period().into_any(),
        (from, to) => view! {
            {from.map(|date| view! { "from "<Day date />" " })}
            {to.map(|date| view! { {if from.is_some() { "to " } else { "until " }}<Day date /> })}
        }
        .into_any(),
    }
}

#[component]
fn ReportTable(query: ReportQuery, counted: Counted) -> impl IntoView {
    let width = counted.keys.len();
    let columns = counted.columns().into_iter().enumerate();
    let columns =
        columns.map(|(index, label)| if index < width { Column::text(label) } else { Column::number(label) });
    let rows = counted.rows.iter().map(|row| {
        let labels = row.labels.iter().map(|label| view! { <th scope="row">{label.clone()}</th> });
        let numbers = row.numbers.map(|number| view! { <td class="number">{grouped(number)}</td> });
        view! { <tr>{labels.collect_view()} {numbers.collect_view()}</tr> }
    });
    let rows = rows.collect_view();
    let total = counted.total.map(|number| view! { <td class="number">{grouped(number)}</td> });
    let footer = view! {
        <tr>
            <th scope="row" colspan=width.to_string()>"Total"</th>
            {total.collect_view()}
        </tr>
    };
    let caption = format!("{}, {}", counted.report.label(), query.period());
    view! {
        <DataTable label=counted.report.label() caption columns=columns.collect() footer=footer.into_any()>
            {rows}
        </DataTable>
    }
}
