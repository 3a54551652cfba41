//! The notation of text, cells, dates and amounts in a file.

use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The character encoding of a file.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TextEncoding: "encoding" {
        /// The import detects the encoding.
        #[default]
        Detect = "detect",
        /// UTF-8, with or without byte order mark.
        Utf8 = "utf8",
        /// UTF-16, little endian.
        Utf16Le = "utf16_le",
        /// UTF-16, big endian.
        Utf16Be = "utf16_be",
        /// Windows-1252 and ISO 8859-1.
        Windows1252 = "windows1252",
        /// ISO 8859-15.
        Iso885915 = "iso885915",
        /// Windows-1250, for Central Europe.
        Windows1250 = "windows1250",
        /// ISO 8859-2.
        Iso88592 = "iso88592",
        /// Windows-1251, Cyrillic.
        Windows1251 = "windows1251",
        /// KOI8-U, Cyrillic.
        Koi8U = "koi8_u",
        /// Windows-1253, Greek.
        Windows1253 = "windows1253",
        /// Windows-1254, Turkish.
        Windows1254 = "windows1254",
        /// Windows-1255, Hebrew.
        Windows1255 = "windows1255",
        /// Windows-1256, Arabic.
        Windows1256 = "windows1256",
        /// Windows-1257, Baltic.
        Windows1257 = "windows1257",
        /// Windows-1258, Vietnamese.
        Windows1258 = "windows1258",
        /// Macintosh.
        Macintosh = "macintosh",
        /// GBK and GB18030.
        Gbk = "gbk",
        /// Big5.
        Big5 = "big5",
        /// Shift JIS.
        ShiftJis = "shift_jis",
        /// EUC-JP.
        EucJp = "euc_jp",
        /// EUC-KR.
        EucKr = "euc_kr",
    }
}

impl TextEncoding {
    /// Returns the name, as the Encoding Standard has it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
            Self::Iso885915 => "ISO-8859-15",
            Self::Windows1250 => "windows-1250",
            Self::Iso88592 => "ISO-8859-2",
            Self::Windows1251 => "windows-1251",
            Self::Koi8U => "KOI8-U",
            Self::Windows1253 => "windows-1253",
            Self::Windows1254 => "windows-1254",
            Self::Windows1255 => "windows-1255",
            Self::Windows1256 => "windows-1256",
            Self::Windows1257 => "windows-1257",
            Self::Windows1258 => "windows-1258",
            Self::Macintosh => "macintosh",
            Self::Gbk => "GBK",
            Self::Big5 => "Big5",
            Self::ShiftJis => "Shift_JIS",
            Self::EucJp => "EUC-JP",
            Self::EucKr => "EUC-KR",
        }
    }
}

coded_enum! {
    /// The character between two cells.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Delimiter: "delimiter" {
        /// The import detects the delimiter.
        #[default]
        Detect = "detect",
        /// A comma.
        Comma = "comma",
        /// A semicolon.
        Semicolon = "semicolon",
        /// A tab.
        Tab = "tab",
        /// A vertical bar.
        Pipe = "pipe",
    }
}

impl Delimiter {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Comma => "Comma",
            Self::Semicolon => "Semicolon",
            Self::Tab => "Tab",
            Self::Pipe => "Vertical bar",
        }
    }
}

coded_enum! {
    /// The notation of dates. Each may be followed by a time of day, which is ignored.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DateFormat: "date format" {
        /// The import detects the format of each column, and asks if there are several.
        #[default]
        Detect = "detect",
        /// `2018-01-15`.
        Iso = "iso",
        /// `15.01.2018`.
        DayMonthYearDots = "day_month_year_dots",
        /// `15/01/2018`.
        DayMonthYear = "day_month_year",
        /// `01/15/2018`.
        MonthDayYear = "month_day_year",
        /// `15-01-2018`.
        DayMonthYearHyphens = "day_month_year_hyphens",
        /// `20180115`.
        Compact = "compact",
        /// `43115`: the days since 30 December 1899, as a spreadsheet stores a date.
        ExcelSerial = "excel_serial",
    }
}

impl DateFormat {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Iso => "year-month-day",
            Self::DayMonthYearDots => "day.month.year",
            Self::DayMonthYear => "day/month/year",
            Self::MonthDayYear => "month/day/year",
            Self::DayMonthYearHyphens => "day-month-year",
            Self::Compact => "yearmonthday",
            Self::ExcelSerial => "serial number of a spreadsheet",
        }
    }

    /// Returns 15 January 2018 in this format.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Detect | Self::Iso => "2018-01-15",
            Self::DayMonthYearDots => "15.01.2018",
            Self::DayMonthYear => "15/01/2018",
            Self::MonthDayYear => "01/15/2018",
            Self::DayMonthYearHyphens => "15-01-2018",
            Self::Compact => "20180115",
            Self::ExcelSerial => "43115",
        }
    }
}

coded_enum! {
    /// The notation of amounts.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DecimalFormat: "format of amounts" {
        /// The import detects the format of each amount. `1,234` has two meanings and is rejected.
        #[default]
        Detect = "detect",
        /// `1,234.50`.
        Point = "point",
        /// `1.234,50`.
        Comma = "comma",
    }
}

impl DecimalFormat {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Point => "1,234.50",
            Self::Comma => "1.234,50",
        }
    }
}
