//! The form of an import profile: the first rows of a file, and the field of each column.

use super::choice::{Choice, date_label};
use super::detection::{first_rows, properties};
use super::profile_actions::{ChangeImportProfile, CreateImportProfile, PROFILES};
use super::{LIST, import_crumbs};
use crate::components::{
    Column, DataTable, FieldProblem, Notice, PageLayout, ProblemSummary, escaped, guarded_page, path_param,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::islands::ProfileCheck;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use policy::import_profile::{
    CUSTOM, ColumnForm, Content, DateFormat, DecimalFormat, Delimiter, FileFormat, FileKind, ImportProfile,
    OtherColumns, ProfileForm, TextEncoding, content_of, label_of, offered_targets,
};
use policy::{ImportId, ImportProfileId};
use records::custom_field;
use transfer::custom_profile::{self, CustomProfile, SampledColumn, SampledFile};
use transfer::{Reason, import_history};

/// The content of the form besides the typed values.
struct Shown {
    kind: FileKind,
    custom: Vec<(String, String)>,
    /// The columns of the sample, with their suggestions. Empty for a saved profile.
    suggested: Vec<SampledColumn>,
    /// Whether the file is delimited text, so that its encoding and delimiter can be chosen.
    is_delimited: bool,
    errors: FieldErrors,
}

/// Shows the first rows of an uploaded file, and the form that makes a profile from them.
#[component]
pub fn NewImportProfilePage() -> impl IntoView {
    let id = path_param::<ImportId>("import");
    guarded_page(async move {
        let (store, actor) = (store(), actor());
        let import = import_history::read(&store, actor, id?).await?;
        let custom = custom_field::labels(&store.db).await?;
        let file = custom_profile::sample(&store, actor, &import).await?;
        let page = format!("{LIST}/{}/profile", import.id);
        let (failed, error) = posted(CreateImportProfile::PATH);
        let form = match file {
            Err(problem) => {
                let href = format!("{PROFILES}#create");
                view! {
                    <Notice kind="danger"><p>{problem}</p></Notice>
                    <p><a href=href>"Upload another file"</a></p>
                }
                .into_any()
            }
            Ok(file) => {
                let form = failed.unwrap_or_else(|| suggested_form(import.kind, &file));
                let form = ProfileForm { import: import.id.to_string(), ..form };
                let shown = Shown {
                    kind: import.kind,
                    custom,
                    suggested: file.columns.clone(),
                    is_delimited: true,
                    errors: field_errors(error.as_ref()),
                };
                view! {
                    <h2 id="rows">"First rows"</h2>
                    {properties(file.encoding, Some(file.delimiter), Some(file.header_line), &[])}
                    {first_rows(file.columns.iter().map(|column| column.name.clone()).collect(), &file.rows)}
                    {profile_form(form, shown, (CreateImportProfile::PATH, &page), &format!("{LIST}/{}", import.id))}
                }
                .into_any()
            }
        };
        let mut crumbs = import_crumbs();
        crumbs.push((format!("Import {}", import.id), format!("{LIST}/{}", import.id)));
        Ok(view! {
            <PageLayout title="Create import profile" crumbs
                lead="Choose the field of each column. The profile keeps the names of the columns, and no row.">
                <ProblemSummary error />
                {form}
            </PageLayout>
        })
    })
}

/// Shows the form of a saved profile.
#[component]
pub fn EditImportProfilePage() -> impl IntoView {
    let id = path_param::<ImportProfileId>("import profile");
    guarded_page(async move {
        let store = store();
        let CustomProfile { id, version, profile, used_by } =
            custom_profile::read(&store, actor(), id?).await?;
        let custom = custom_field::labels(&store.db).await?;
        let (failed, error) = posted(ChangeImportProfile::PATH);
        let form = failed.unwrap_or_else(|| ProfileForm {
            id: id.to_string(),
            version: version.to_string(),
            ..ProfileForm::from_profile(&profile)
        });
        let used = (!used_by.is_empty()).then(|| {
            let names: Vec<String> = used_by.iter().map(|(_, name)| format!("“{}”", name.description_for(actor()))).collect();
            view! {
                <Notice kind="info"><p>
                    {format!("Tasks use this profile: {}. ", names.join(", "))}
                    "If it reads files differently, each of them must be confirmed by a preview and a run again."
                </p></Notice>
            }
        });
        let shown = Shown {
            kind: profile.kind,
            custom,
            suggested: Vec::new(),
            is_delimited: matches!(profile.format, FileFormat::Delimited(_)),
            errors: field_errors(error.as_ref()),
        };
        let page = format!("{PROFILES}/{id}");
        let mut crumbs = import_crumbs();
        crumbs.push(("Import profiles".to_owned(), PROFILES.to_owned()));
        let lead = format!("For files of {}. Code: {}.", profile.kind.label().to_lowercase(), profile.code);
        Ok(view! {
            <PageLayout title=format!("Change “{}”", profile.name) crumbs lead>
                <ProblemSummary error />
                {used}
                {profile_form(form, shown, (ChangeImportProfile::PATH, &page), PROFILES)}
            </PageLayout>
        })
    })
}

fn posted(path: &str) -> (Option<ProfileForm>, Option<AppError>) {
    match failed_submission(path) {
        Some((form, error)) => (Some(form), Some(error)),
        None => (None, error_for(path)),
    }
}

/// Returns the form with the suggestions in its fields.
fn suggested_form(kind: FileKind, file: &SampledFile) -> ProfileForm {
    let is_date = |target: &str| content_of(kind, target) == Some(Content::Date);
    let target = |column: &SampledColumn| column.suggestion.target.clone().map(|(target, _)| target);
    let of_dates = file.columns.iter().filter(|column| target(column).is_some_and(|target| is_date(&target)));
    let mut formats: Vec<DateFormat> = of_dates.filter_map(|column| column.suggestion.dates).collect();
    formats.sort();
    formats.dedup();
    let overall = if let [one] = formats[..] { one } else { DateFormat::Detect };
    let columns = file.columns.iter().map(|column| {
        let target = target(column).unwrap_or_default();
        let own = column.suggestion.dates.filter(|format| is_date(&target) && *format != overall);
        ColumnForm {
            source: column.name.clone(),
            dates: own.map(DateFormat::code).unwrap_or_default().to_owned(),
            several: column.suggestion.has_several && content_of(kind, &target) == Some(Content::Email),
            target,
        }
    });
    ProfileForm {
        name: String::new(),
        columns: columns.collect(),
        dates: overall.code().to_owned(),
        ..ProfileForm::from_profile(&ImportProfile::own_format(kind))
    }
}

fn profile_form(
    form: ProfileForm,
    shown: Shown,
    (path, page): (&'static str, &str),
    back: &str,
) -> impl IntoView + use<> {
    let columns = form.columns.iter().enumerate().map(|(place, column)| mapping(place, column, &shown));
    let columns = columns.collect_view();
    let headers = ["Column", "Field", "Dates"].map(Column::text).into();
    let custom = shown.custom.iter().map(|(key, _)| key.clone()).collect();
    let Shown { kind, is_delimited, errors, .. } = shown;
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    let dates = DateFormat::ALL.map(|format| (format.code(), date_label(format)));
    let decimals = DecimalFormat::ALL.map(|format| (format.code(), format.label().to_owned()));
    let others = OtherColumns::ALL.map(|one| {
        let id = format!("other-{}", one.code());
        view! {
            <div class="choice">
                <input id=id.clone() name="form[other_columns]" type="radio" value=one.code()
                    checked=form.other_columns == one.code() />
                <label for=id>{one.label()}</label>
            </div>
        }
    });
    let hidden = |name: &'static str, value: &str| {
        view! { <input type="hidden" name=name value=value.to_owned() /> }
    };
    view! {
        <form class="stacked" method="post" action=action(path, page) novalidate data-guard="">
            <Token />
            {hidden("form[import]", &form.import)}
            {hidden("form[id]", &form.id)}
            {hidden("form[version]", &form.version)}
            <div class="field">
                <label for="name">"Name of the profile"</label>
                <input id="name" name="form[name]" value=form.name.clone() autocomplete="off"
                    aria-invalid=wrong("name") aria-describedby="name-hint name-problem" />
                <p class="hint" id="name-hint">"For example Students of the HR system."</p>
                <FieldProblem field="name" errors=errors.clone() />
            </div>
            <h2 id="columns" tabindex="-1">"Columns"</h2>
            <FieldProblem field="columns" errors=errors.clone() />
            <DataTable label="Columns" caption="Columns of the file, and the fields that they fill" columns=headers>
                {columns}
            </DataTable>
            <fieldset>
                <legend>"Columns that are not listed above"</legend>
                {others.collect_view()}
                <FieldProblem field="other_columns" errors=errors.clone() />
            </fieldset>
            <div class="columns">
                <Choice field="dates" label="Date format" chosen=form.dates.clone() options=dates.to_vec()
                    errors=errors.clone() />
                <Choice field="decimals" label="Amounts" chosen=form.decimals.clone() options=decimals.to_vec()
                    errors=errors.clone() />
            </div>
            <div class="field">
                <label for="never">"Dates that mean “never”"</label>
                <textarea id="never" name="form[never]" rows="2" aria-invalid=wrong("never")
                    aria-describedby="never-hint never-problem">{escaped(&form.never)}</textarea>
                <p class="hint" id="never-hint">
                    "One on each line, such as 31.12.9999. Such a date empties its field."
                </p>
                <FieldProblem field="never" errors=errors.clone() />
            </div>
            {file_fields(&form, is_delimited, &errors)}
            <div class="buttons">
                <button class="primary" type="submit" data-shortcut="s">"Save profile"</button>
                <a href=back.to_owned()>"Cancel"</a>
            </div>
            <ProfileCheck kind custom />
        </form>
    }
}

/// The fields about the file as a whole. They are rarely needed, because the import detects these properties.
fn file_fields(form: &ProfileForm, is_delimited: bool, errors: &FieldErrors) -> impl IntoView + use<> {
    if !is_delimited {
        return view! {
            <input type="hidden" name="form[encoding]" value=form.encoding.clone() />
            <input type="hidden" name="form[delimiter]" value=form.delimiter.clone() />
            <input type="hidden" name="form[header_line]" value=form.header_line.clone() />
        }
        .into_any();
    }
    let encodings = TextEncoding::ALL.map(|one| (one.code(), one.label().to_owned()));
    let delimiters = Delimiter::ALL.map(|one| (one.code(), one.label().to_owned()));
    let is_open =
        ["encoding", "delimiter", "header_line"].iter().any(|field| errors.message(field).is_some());
    let wrong = errors.message("header_line").is_some().then_some("true");
    view! {
        <details open=is_open>
            <summary>"Encoding, delimiter and header"</summary>
            <div class="columns">
                <Choice field="encoding" label="Encoding" chosen=form.encoding.clone() options=encodings.to_vec()
                    errors=errors.clone() />
                <Choice field="delimiter" label="Delimiter" chosen=form.delimiter.clone()
                    options=delimiters.to_vec() errors=errors.clone() />
            </div>
            <div class="field">
                <label for="header_line">"Line with the names of the columns"</label>
                <input id="header_line" name="form[header_line]" value=form.header_line.clone() inputmode="numeric"
                    autocomplete="off" aria-invalid=wrong aria-describedby="header_line-hint header_line-problem" />
                <p class="hint" id="header_line-hint">"Leave it empty to detect the line."</p>
                <FieldProblem field="header_line" errors=errors.clone() />
            </div>
        </details>
    }
    .into_any()
}

/// The row of a column: its field, and the format of its dates.
fn mapping(place: usize, column: &ColumnForm, shown: &Shown) -> impl IntoView + use<> {
    let id = |part: &str| format!("columns.{place}.{part}");
    let name = |part: &str| format!("form[columns][{place}][{part}]");
    let problem = |part: &str| shown.errors.message(&id(part));
    let suggestion = shown.suggested.iter().find(|one| one.name == column.source).map(|one| &one.suggestion);
    let reason = suggestion.and_then(|one| one.target.as_ref()).map(|(target, reason)| {
        let why = match reason {
            Reason::Name => "from the name",
            Reason::Content => "from the content",
        };
        format!("Suggested {why}: {}", target_label(shown, target))
    });
    let content = content_of(shown.kind, &column.target);
    let has_dates = content == Some(Content::Date)
        || !column.dates.is_empty()
        || suggestion.is_some_and(|one| one.has_dates);
    let has_several = column.several || suggestion.is_some_and(|one| one.has_several);
    let two_meanings = suggestion.is_some_and(|one| one.has_dates && one.dates.is_none());
    let dates = if has_dates {
        let options = DateFormat::ALL.map(|format| {
            let is_chosen = column.dates == format.code();
            view! { <option value=format.code() selected=is_chosen>{date_label(format)}</option> }
        });
        view! {
            <select id=id("dates") name=name("dates") aria-label=format!("Dates in {}", column.source)
                aria-invalid=problem("dates").map(|_| "true") aria-describedby=format!("{}-problem", id("dates"))>
                <option value="" selected=column.dates.is_empty()>"As below"</option>
                {options.collect_view()}
            </select>
            {two_meanings.then(|| view! { <p class="hint">"Some dates have two meanings: choose the format."</p> })}
            <p class="problem" id=format!("{}-problem", id("dates"))>{problem("dates")}</p>
        }
        .into_any()
    } else {
        ().into_any()
    };
    let several = has_several.then(|| {
        view! {
            <div class="choice">
                <input id=id("several") name=name("several") type="checkbox" value="true" checked=column.several />
                <label for=id("several")>"Several values: import the first one"</label>
            </div>
        }
    });
    view! {
        <tr>
            <th scope="row">
                {column.source.clone()}
                <input type="hidden" name=name("source") value=column.source.clone() />
                <p class="problem" id=id("source")>{problem("source")}</p>
            </th>
            <td>
                <select id=id("target") name=name("target") aria-label=format!("Field for {}", column.source)
                    aria-invalid=problem("target").map(|_| "true")
                    aria-describedby=format!("{} {}-problem", id("reason"), id("target"))>
                    {options(column, shown)}
                </select>
                <p class="hint" id=id("reason")>{reason}</p>
                <p class="problem" id=format!("{}-problem", id("target"))>{problem("target")}</p>
                {several}
            </td>
            <td>{dates}</td>
        </tr>
    }
}

/// The fields that a column can fill.
fn options(column: &ColumnForm, shown: &Shown) -> impl IntoView + use<> {
    let mut targets: Vec<String> = offered_targets(shown.kind).map(|target| target.name.to_owned()).collect();
    if shown.kind == FileKind::Users {
        targets.extend(shown.custom.iter().map(|(key, _)| format!("{CUSTOM}{key}")));
    }
    // A profile of the command line can fill further fields.
    if !column.target.is_empty() && !targets.contains(&column.target) {
        targets.push(column.target.clone());
    }
    let options = targets
        .into_iter()
        .map(|target| {
            let label = target_label(shown, &target);
            let is_chosen = target == column.target;
            view! { <option value=target selected=is_chosen>{label}</option> }
        })
        .collect_view();
    view! {
        <option value="" selected=column.target.is_empty()>"Ignore this column"</option>
        {options}
    }
}

fn target_label(shown: &Shown, target: &str) -> String {
    let custom = target.strip_prefix(CUSTOM);
    let found = custom.and_then(|key| shown.custom.iter().find(|(known, _)| known == key));
    found.map_or_else(|| label_of(shown.kind, target), |(_, label)| label.clone())
}
