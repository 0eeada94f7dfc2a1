"""Names for invented customers: common ones, put together by chance."""

FIRST_NAMES = (
    "Thandi", "Sipho", "Lerato", "Themba", "Nomsa", "Bongani", "Zanele", "Mandla", "Naledi",
    "Kagiso", "Palesa", "Tshepo", "Ayanda", "Lwazi", "Nthabiseng", "Vusi", "Rethabile", "Andile",
    "Johan", "Anneke", "Pieter", "Marietjie", "Hendrik", "Elmarie", "Kobus", "Liezel", "Francois",
    "David", "Sarah", "Michael", "Karen", "Peter", "Linda", "Gareth", "Susan", "Priya", "Rajesh",
    "Fatima", "Yusuf", "Aisha", "Imraan", "Chantal", "Ashley", "Shireen", "Riaan", "Dineo", "Musa",
)  # fmt: skip

LAST_NAMES = (
    "Nkosi", "Dlamini", "Mokoena", "Zulu", "Khumalo", "Ndlovu", "Mahlangu", "Sithole", "Molefe",
    "Mthembu", "Radebe", "Maseko", "Tshabalala", "Baloyi", "Cele", "Ngcobo", "Phiri", "Mabaso",
    "van der Merwe", "Botha", "Pretorius", "Venter", "Coetzee", "du Plessis", "Nel", "Kruger",
    "Fourie", "Smith", "Jones", "Williams", "Adams", "Jacobs", "Petersen", "Davids", "Hendricks",
    "Naidoo", "Govender", "Pillay", "Moodley", "Khan", "Patel", "Abrahams", "September", "Maluleke",
)  # fmt: skip

STREETS = (
    "Main Road", "Church Street", "Station Road", "Mandela Drive", "Acacia Avenue", "Protea Street",
    "Jacaranda Lane", "Market Street", "School Road", "River Road", "Hill Street", "Park Avenue",
    "Sisulu Street", "Biko Crescent", "Tambo Road", "Voortrekker Road", "Long Street", "Kloof Road",
    "Marula Street", "Impala Avenue", "Aloe Close", "Yellowwood Street", "Freedom Way",
)  # fmt: skip
