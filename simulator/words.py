# ruff: noqa: SIM905 - a list of words reads best as words
"""Word lists behind the names: companies by industry, people by language, towns by country. Data only."""

LEGAL = {
    "GB": "Ltd|Group|plc|LLP|& Co".split("|"),
    "IE": "Ltd|DAC|Group".split("|"),
    "DE": "GmbH|AG|GmbH & Co. KG".split("|"),
    "FR": "SAS|SARL|SA".split("|"),
    "NL": "BV|Groep|NV".split("|"),
    "US": "Inc.|LLC|Corp.".split("|"),
}

CITIES = {
    "GB": (
        "Leeds|London|Manchester|Bristol|Birmingham|Glasgow|Sheffield|Newcastle|Cardiff|York|Nottingham|"
        "Brighton|Exeter|Norwich|Belfast|Edinburgh|Reading|Harrogate"
    ).split("|"),
    "IE": "Dublin|Cork|Galway|Limerick".split("|"),
    "DE": "Berlin|Hamburg|München|Köln|Leipzig|Stuttgart".split("|"),
    "FR": "Paris|Lyon|Nantes|Lille|Bordeaux".split("|"),
    "NL": "Amsterdam|Utrecht|Rotterdam|Eindhoven".split("|"),
    "US": "Boston|Austin|Denver|Portland|Raleigh".split("|"),
}

INDUSTRIES = {
    "Software": "Systems|Software|Labs|Cloud|Digital|Technologies".split("|"),
    "Travel": "Holidays|Travel|Escapes|Cruises|Journeys".split("|"),
    "Recruitment": "Talent|Recruitment|People|Search|Resourcing".split("|"),
    "Education": "Learning|Academy|College|Training|Schools".split("|"),
    "Property": "Homes|Estates|Lettings|Property|Living".split("|"),
    "Manufacturing": "Engineering|Components|Fabrications|Tooling|Packaging|Ceramics".split("|"),
    "Retail": "Outfitters|Stores|Home|Garden Centres|Bikes|Footwear".split("|"),
    "Charity": "Trust|Foundation|Hospice|Alliance".split("|"),
    "Financial services": "Mortgages|Wealth|Insurance|Capital|Pensions".split("|"),
    "Healthcare": "Clinics|Dental|Care|Health|Optical".split("|"),
    "Hospitality": "Hotels|Leisure|Kitchens|Brewing|Inns".split("|"),
    "Logistics": "Freight|Logistics|Haulage|Couriers|Storage".split("|"),
    "Energy": "Energy|Renewables|Solar|Heating".split("|"),
    "Legal": "Solicitors|Legal|Law|Conveyancing".split("|"),
    "Marketing agency": "Media|Creative|Studio|Marketing|Agency".split("|"),
}

ROOTS = {
    "EN": (
        "Alder|Ashdown|Aspen|Beacon|Birchwood|Blackthorn|Bluebell|Bramble|Brightwater|Broadgate|Calder|"
        "Cartwright|Castlegate|Cedar|Chalk|Clearwater|Cobalt|Copperfield|Coppice|Crestline|Crofton|Dovetail|"
        "Driftwood|Easterly|Elmfield|Ember|Fairfax|Falcon|Fernhill|Firefly|Foxglove|Gable|Greenway|Halcyon|"
        "Harbour|Hartwell|Hawthorn|Hazel|Heron|Highgate|Hollybank|Ironbridge|Ivybridge|Juniper|Kestrel|"
        "Kingfisher|Kirkstall|Lakeland|Langdale|Larkspur|Lighthouse|Limestone|Linden|Longshore|Mallow|Maple|"
        "Meridian|Millstone|Moorland|Mulberry|Northgate|Oakhaven|Old-Quay|Orchard|Otter|Peakside|Pennine|"
        "Pilgrim|Pinnacle|Quarry|Quayside|Ravenscar|Redwood|Ridgeway|Riverbank|Rosewood|Rowan|Saltmarsh|"
        "Sandpiper|Saxon|Severn|Silverdale|Skylark|Solent|Southbank|Sparrow|Springfield|Starling|Stonebridge|"
        "Summit|Swift|Sycamore|Tamar|Thistle|Thornbury|Tidewater|Trent|Valley|Wayfarer|Weaver|Westbrook|"
        "Wharfedale|Whitestone|Willow|Windermere|Woodland|Wren|Yarrow|Yew-Tree"
    ).split("|"),
    "DE": (
        "Nordlicht|Havel|Elbtal|Rheinblick|Tannenhof|Lindenau|Falkenberg|Morgenrot|Sonnfeld|Steinbach|"
        "Waldeck|Kranich|Birkenau|Adlerhof|Silberbach|Hansemann|Bergquell|Kupfermann|Eichwerk|Blaufeld"
    ).split("|"),
    "FR": (
        "Belleville|Clairvaux|Mistral|Garonne|Lavande|Beaurivage|Montclair|Lumière|Argentine|Saint-Rémy|"
        "Valmont|Hirondelle|Cadence|Fontaine|Rivoli"
    ).split("|"),
    "NL": (
        "Oranjehof|Zuiderzee|Vermeer|Waterland|Molenhof|Duinzicht|Noorderlicht|Amstelhoek|Brouwer|Zilverberg|"
        "Kersenboom|Havenkwartier"
    ).split("|"),
    "US": (
        "Blue-Ridge|Cascade|Prairie|Redrock|Evergreen|Lonestar|Granite-Peak|Harbor-Point|Cumberland|Sierra|"
        "Juneau|Chesapeake|Magnolia"
    ).split("|"),
}

FIRST = {
    "EN": (
        "Oliver|Amelia|George|Isla|Harry|Ava|Noah|Emily|Jack|Sophie|Leo|Grace|Oscar|Freya|Charlie|Ella|Henry|"
        "Rosie|Archie|Daisy|Thomas|Poppy|James|Alice|William|Charlotte|Edward|Lucy|Samuel|Hannah|Daniel|"
        "Megan|Joseph|Holly|Adam|Imogen|Rachel|Claire|Niamh|Sean|Aoife|Declan|Zara|Imran|Anita|Kofi|Chloe|"
        "Ben|Laura|Gareth|Rhys"
    ).split("|"),
    "DE": (
        "Lukas|Anna|Felix|Lena|Max|Marie|Paul|Laura|Jan|Julia|Tobias|Katharina|Stefan|Sabine|Moritz|Nina|"
        "Florian|Heike|Sven|Petra"
    ).split("|"),
    "FR": ("Camille|Louis|Chloé|Hugo|Manon|Jules|Léa|Antoine|Inès|Lucas|Élodie|Mathieu|Sarah|Théo|Claire|Benoît").split(
        "|"
    ),
    "NL": "Sanne|Daan|Lotte|Bram|Fleur|Thijs|Emma|Sem|Anouk|Ruben|Maud|Joost".split("|"),
    "US": "Madison|Tyler|Olivia|Ethan|Brooke|Mason|Abigail|Logan|Hailey|Caleb|Jordan|Morgan".split("|"),
}

LAST = {
    "EN": (
        "Smith|Patel|Jones|Taylor|Brown|Walker|Wright|Thompson|White|Hughes|Edwards|Green|Hall|Wood|Harris|"
        "Lewis|Martin|Clarke|Turner|Hill|Cooper|Ward|Morris|Moore|Clark|Baker|Harrison|Morgan|Allen|Scott|"
        "Watson|Davies|Murphy|O'Brien|Kelly|Byrne|Ryan|Ahmed|Khan|Begum|Adeyemi|Mensah|Campbell|Stewart|"
        "Fraser|Ross|Reid|Marsh|Barker|Fletcher|Holt|Nash|Pearce|Sutton|Webb|Yates|Bright|Lowe|Dixon|Farrell|"
        "Gill|Hobbs|Ingram|Judd|Kerr|Lamb|Mead|Nolan|Orme|Price|Quinn|Rudd|Shaw|Thorpe"
    ).split("|"),
    "DE": (
        "Müller|Schmidt|Fischer|Wagner|Becker|Hoffmann|Koch|Richter|Klein|Wolf|Neumann|Krüger|Braun|Hartmann|"
        "Vogel|Lorenz"
    ).split("|"),
    "FR": ("Martin|Bernard|Dubois|Laurent|Moreau|Girard|Lefèvre|Mercier|Rousseau|Blanc|Garnier|Faure|Chevalier").split(
        "|"
    ),
    "NL": "de Vries|Jansen|Bakker|Visser|Smit|Meijer|Mulder|Bos|Peters|Hendriks|van Dijk|de Groot".split("|"),
    "US": ("Johnson|Williams|Miller|Davis|Garcia|Rodriguez|Wilson|Anderson|Thomas|Jackson|Carter|Bennett|Brooks").split(
        "|"
    ),
}

TITLES = {
    "CHAMPION": "Marketing Manager|Head of Marketing|CRM Manager|Digital Marketing Lead".split("|"),
    "DECISION_MAKER": "Marketing Director|Commercial Director|Managing Director|CMO".split("|"),
    "BUDGET_HOLDER": "Finance Director|Procurement Manager|Operations Director|CFO".split("|"),
    "END_USER": (
        "Marketing Executive|Campaign Executive|Email Specialist|Content Editor|Marketing Assistant|Data Analyst"
    ).split("|"),
}
