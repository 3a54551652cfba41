//! Invented addresses, and phone numbers from ranges reserved for fiction.

use super::rng::SeededRng;

/// The addresses and phone numbers of one country. In patterns `#` is a digit and `@` a letter.
pub(super) struct Home {
    country: &'static str,
    /// The patterns of postcodes, with their cities.
    cities: &'static [(&'static str, &'static str)],
    streets: &'static [&'static str],
    number_first: bool,
    phone: &'static str,
    mobile: &'static str,
}

const PHONE: &str = "+44 1632 960###";
const MOBILE: &str = "+44 7700 900###";

/// The country of the demo library comes first. Countries without numbers reserved for fiction use those of the
/// first.
pub(super) const HOMES: [Home; 10] = [
    Home {
        country: "United Kingdom",
        cities: &[
            ("LN# #@@", "Lincoln"),
            ("SW#@ #@@", "London"),
            ("EH## #@@", "Edinburgh"),
            ("CF## #@@", "Cardiff"),
        ],
        streets: &[
            "Abbey Lane",
            "Station Road",
            "Mill Hill",
            "St Mary's Close",
            "King's Parade",
            "Orchard Way",
        ],
        number_first: true,
        phone: PHONE,
        mobile: MOBILE,
    },
    Home {
        country: "Ireland",
        cities: &[("D0# @#@#", "Dublin"), ("H91 @#@#", "Galway"), ("T12 @#@#", "Cork")],
        streets: &["Harbour Road", "St Brigid's Terrace", "Castle Street"],
        number_first: true,
        phone: "+353 20 91# ####",
        mobile: "+353 20 91# ####",
    },
    Home {
        country: "Germany",
        cities: &[("10###", "Berlin"), ("370##", "Göttingen"), ("69###", "Heidelberg")],
        streets: &["Gartenstraße", "Am Mühlbach", "Goetheallee", "Lindenweg"],
        number_first: false,
        phone: "+49 30 23125 ###",
        mobile: "+49 171 39200##",
    },
    Home {
        country: "France",
        cities: &[("7500#", "Paris"), ("3400#", "Montpellier"), ("6900#", "Lyon")],
        streets: &["rue de l'Église", "avenue des Tilleuls", "place du Marché"],
        number_first: true,
        phone: "+33 1 99 00 ## ##",
        mobile: "+33 6 39 98 ## ##",
    },
    Home {
        country: "Spain",
        cities: &[("280##", "Madrid"), ("370##", "Salamanca")],
        streets: &["Calle Mayor", "Avenida de la Constitución", "Plaza de España"],
        number_first: false,
        phone: PHONE,
        mobile: MOBILE,
    },
    Home {
        country: "Greece",
        cities: &[("10# ##", "Αθήνα"), ("54# ##", "Θεσσαλονίκη")],
        streets: &["Οδός Ερμού", "Λεωφόρος Νίκης"],
        number_first: false,
        phone: PHONE,
        mobile: MOBILE,
    },
    Home {
        country: "Poland",
        cities: &[("31-###", "Kraków"), ("90-###", "Łódź")],
        streets: &["ul. Długa", "ul. Św. Jana", "al. Róż"],
        number_first: false,
        phone: PHONE,
        mobile: MOBILE,
    },
    Home {
        country: "Japan",
        cities: &[("60#-####", "京都市"), ("11#-####", "東京都")],
        streets: &["左京区吉田本町", "文京区本郷"],
        number_first: false,
        phone: PHONE,
        mobile: MOBILE,
    },
    Home {
        country: "Sweden",
        cities: &[("75# ##", "Uppsala"), ("22# ##", "Lund")],
        streets: &["Övre Slottsgatan", "Kyrkogårdsgatan", "Ågatan"],
        number_first: false,
        phone: "+46 8 465 004 ##",
        mobile: "+46 70 174 06 6#",
    },
    Home {
        country: "United States",
        cities: &[("021##", "Cambridge"), ("941##", "San Francisco"), ("606##", "Chicago")],
        streets: &["Maple Street", "Lakeview Avenue", "Old Mill Road"],
        number_first: true,
        phone: "+1 212-555-01##",
        mobile: "+1 415-555-01##",
    },
];

/// An address with its phone numbers.
pub(super) struct Address {
    pub(super) street: String,
    pub(super) postcode: String,
    pub(super) city: String,
    pub(super) country: String,
    pub(super) phone: String,
    pub(super) mobile: String,
}

impl Home {
    /// Returns a random address in this country.
    pub(super) fn address(&self, rng: &mut SeededRng) -> Address {
        let (postcode, city) = rng.pick(self.cities);
        let street = rng.pick(self.streets);
        let number = rng.between(1, 180);
        Address {
            street: if self.number_first {
                format!("{number} {street}")
            } else {
                format!("{street} {number}")
            },
            postcode: rng.fill(postcode),
            city: (*city).to_owned(),
            country: self.country.to_owned(),
            phone: rng.fill(self.phone),
            mobile: rng.fill(self.mobile),
        }
    }
}
