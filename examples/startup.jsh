// What a session begins with; see README.md here. "mvn -q compile exec:exec@jshell" in the root opens one.
import dev.fettle.*;
import dev.fettle.ranking.*;
import dev.fettle.recipes.*;
import dev.fettle.examples.tiny.TicketTask;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.*;
import javax.imageio.ImageIO;
