<?php
// A menu with a menu below it, written from a table of departments.

$menu = [
    '1' => ['sales', 'Sales opens at nine. Goodbye.'],
    '2' => ['support', [
        '1' => ['telephones & faxes', 'Turn it off and on again. Goodbye.'],
        '2' => ['the internet', 'We know, and we are working on it. Goodbye.'],
    ]],
];

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// userInput writes a menu; what is an array instead of a sentence is a menu again.
function userInput(array $menu, string $greeting, string $back = ''): string
{
    $says = $greeting;
    $inputs = '';
    foreach ($menu as $key => [$name, $what]) {
        $says .= " For $name, press $key.";
        $does = is_array($what)
            ? userInput($what, '', '*')
            : '<Speak>' . xml($what) . '</Speak><Hangup/>';
        $inputs .= "<Input Key=\"$key\">$does</Input>\n";
    }
    $says .= $back ? ' To go back, press star.' : '';
    $backKey = $back ? " BackKey=\"$back\"" : '';

    return "<UserInput Timeout=\"3\" Repeat=\"true\"$backKey>\n"
        . '<InitialCommands><Speak>' . xml(trim($says)) . "</Speak></InitialCommands>\n"
        . "<Inputs>\n$inputs</Inputs>\n</UserInput>\n";
}

if (($_POST['NotificationName'] ?? '') === 'IncomingCall') {
    header('Content-Type: application/xml; charset=utf-8');
    $who = $_POST['CallerDisplayName'] ?? '';
    echo "<Response>\n", userInput($menu, $who === '' ? 'Hello.' : "Hello $who."), '</Response>';
}
