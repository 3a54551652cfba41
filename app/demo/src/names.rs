//! Invented names from many countries, in their own scripts.

/// The names of one origin.
pub(super) struct Origin {
    /// The given names.
    pub(super) given: &'static [&'static str],
    /// The family names, as printed on a library card.
    pub(super) family: &'static [&'static str],
    /// The language of messages to these users.
    pub(super) language: &'static str,
    /// A country in [`super::addresses::HOMES`] where some of these users live.
    pub(super) home: usize,
}

/// All origins. Users take turns, so that even a small library has every origin.
pub(super) const ORIGINS: [Origin; 20] = [
    BRITISH, GERMAN, BRITISH, IRISH, FRENCH, BRITISH, SPANISH, GREEK, BRITISH, UKRAINIAN, POLISH, BRITISH,
    ARABIC, CHINESE, BRITISH, JAPANESE, VIETNAMESE, INDIAN, SWEDISH, TURKISH,
];

const BRITISH: Origin = Origin {
    given: &[
        "Alice",
        "Benjamin",
        "Charlotte",
        "Daniel",
        "Emily",
        "Frederick",
        "Grace",
        "Harry",
        "Imogen",
        "Jack",
        "Katherine",
        "Liam",
        "Megan",
        "Nathan",
        "Olivia",
        "Peter",
        "Rebecca",
        "Samuel",
        "Tamsin",
        "William",
        "Zoe",
        "Owen",
        "Rhys",
        "Isla",
        "Callum",
        "Mary Ann",
    ],
    family: &[
        "Ashdown",
        "Barlow",
        "Carrick",
        "Dunmore",
        "Ellery",
        "Fairbrother",
        "Garland",
        "Holloway",
        "Inskip",
        "Jessop",
        "Kettering",
        "Lockwood",
        "Merriman",
        "Northcote",
        "Oakley",
        "Pemberton",
        "Quill",
        "Ravenscroft",
        "Stainer",
        "Thackeray",
        "Underhill",
        "Vickers",
        "Wetherby",
        "Yardley",
        "Smith-Jones",
        "Parry-Williams",
        "MacLeod",
        "Fforde",
    ],
    language: "en",
    home: 0,
};

const IRISH: Origin = Origin {
    given: &["Aoife", "Cian", "Deirdre", "Eoin", "Fionnuala", "Niamh", "Oisín", "Róisín", "Seán", "Sinéad"],
    family: &[
        "O'Brien",
        "O'Connell",
        "Ní Dhomhnaill",
        "Mac Giolla",
        "D'Arcy",
        "O'Sullivan",
        "Byrne",
        "Kinsella",
    ],
    language: "en",
    home: 1,
};

const GERMAN: Origin = Origin {
    given: &[
        "Jürgen",
        "Anke",
        "Björn",
        "Käthe",
        "Hans-Peter",
        "Ingrid",
        "Karl-Heinz",
        "Lena",
        "Matthias",
        "Ute",
    ],
    family: &[
        "Müller",
        "Weiß",
        "Schröder",
        "Groß",
        "von der Heide",
        "Meyer-Lüdenscheid",
        "Kühn",
        "Brandt",
        "Vogel",
        "Jäger",
    ],
    language: "de",
    home: 2,
};

const FRENCH: Origin = Origin {
    given: &["Anaïs", "Benoît", "Chloé", "Étienne", "Françoise", "Jean-Luc", "Marie-Claire", "Noëlle", "Zoé"],
    family: &[
        "D'Aubigné",
        "Lefèvre",
        "L'Hermite",
        "Garçon",
        "Dupont-Morel",
        "Chênevert",
        "Beaumont",
        "Delacroix",
    ],
    language: "fr",
    home: 3,
};

const SPANISH: Origin = Origin {
    given: &["Ana María", "Begoña", "Íñigo", "José Luis", "Lucía", "Nuria", "Óscar", "Xoán"],
    family: &["Muñoz Peña", "García Márquez", "Ibáñez", "de la Cruz", "Núñez Ortiz", "Castaño", "Quiñones"],
    language: "es",
    home: 4,
};

const GREEK: Origin = Origin {
    given: &["Ελένη", "Γιώργος", "Δήμητρα", "Νίκος", "Σοφία", "Αλέξανδρος"],
    family: &["Παπαδοπούλου", "Γεωργίου", "Αντωνίου", "Καραγιάννης", "Οικονόμου", "Ζαχαρίας"],
    language: "el",
    home: 5,
};

const UKRAINIAN: Origin = Origin {
    given: &["Олена", "Андрій", "Марія", "Тарас", "Надія", "Юрій"],
    family: &["Шевчук", "Коваленко", "Бондаренко", "Щербак", "Мельник", "Лисенко"],
    language: "uk",
    home: 0,
};

const POLISH: Origin = Origin {
    given: &["Agnieszka", "Łukasz", "Małgorzata", "Paweł", "Świętosława", "Zbigniew"],
    family: &["Wójcik", "Kowalska", "Żółkiewski", "Nowak-Dąbrowska", "Ślusarczyk", "Gęś"],
    language: "pl",
    home: 6,
};

const ARABIC: Origin = Origin {
    given: &["فاطمة", "محمد", "ليلى", "يوسف", "مريم", "عمر"],
    family: &["الحداد", "النجار", "بن سعيد", "المصري", "الخطيب", "عبد الله"],
    language: "ar",
    home: 0,
};

const CHINESE: Origin = Origin {
    given: &["小明", "丽华", "建国", "雪", "志强", "美玲"],
    family: &["王", "李", "张", "欧阳", "陈", "刘"],
    language: "zh",
    home: 0,
};

const JAPANESE: Origin = Origin {
    given: &["さくら", "太郎", "美咲", "健一", "ゆき", "翔"],
    family: &["山田", "佐藤", "渡邊", "小林", "伊藤", "五十嵐"],
    language: "ja",
    home: 7,
};

const VIETNAMESE: Origin = Origin {
    given: &["Thị Hương", "Văn Dũng", "Minh Tuấn", "Ngọc Ánh", "Quốc Việt"],
    family: &["Nguyễn", "Trần", "Phạm", "Đặng", "Võ"],
    language: "vi",
    home: 0,
};

const INDIAN: Origin = Origin {
    given: &["Ananya", "Arjun", "Deepika", "प्रिया", "राहुल", "Sanjay", "Vikram"],
    family: &["Iyer", "शर्मा", "Chatterjee", "Patel", "वर्मा", "Ramanathan"],
    language: "en",
    home: 0,
};

const SWEDISH: Origin = Origin {
    given: &["Åsa", "Björn", "Göran", "Linnéa", "Märta", "Örjan"],
    family: &["Ångström", "Sjöberg", "Lindström-Öberg", "Håkansson", "af Geijerstam"],
    language: "sv",
    home: 8,
};

const TURKISH: Origin = Origin {
    given: &["Ayşe", "İbrahim", "Gülşen", "Çağlar", "Işıl", "Özgür"],
    family: &["Yıldız", "Şahin", "Çelik", "Öztürk", "Kılıç"],
    language: "tr",
    home: 9,
};
